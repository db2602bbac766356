from datetime import datetime
from typing import Annotated, TypeAlias

from pydantic import Field

# Of lists that begin where the ledger does.
KeptFrom: TypeAlias = Annotated[
    datetime | None,
    Field(
        description="What was moved before is not in this list, but in the journal or its "
        "archives. null: all is here.",
        examples=[None],
    ),
]
