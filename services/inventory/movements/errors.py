from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Conflict
from shared.i18n import N_


@dataclass(eq=False)
class BulkRefused(Conflict):
    """An atomic call had lines that cannot be applied; nothing was changed."""

    slug: ClassVar[str] = "bulk-refused"
    title: ClassVar[str] = N_("Nothing was applied")
    detail: ClassVar[str] = N_("{refused} lines cannot be applied. The results name each.")
    refused: int
    results: list[dict[str, object]]
