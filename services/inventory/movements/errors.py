from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Conflict
from shared.i18n import N_, NP_


@dataclass(eq=False)
class BulkRefused(Conflict):
    """An atomic call had lines that cannot be applied; nothing was changed."""

    slug: ClassVar[str] = "bulk-refused"
    title: ClassVar[str] = N_("Nothing was applied")
    detail: ClassVar[tuple[str, str]] = NP_(
        "{refused} line cannot be applied. The results name it.",
        "{refused} lines cannot be applied. The results name each.",
    )
    counted: ClassVar[str] = "refused"
    refused: int
    results: list[dict[str, object]]
