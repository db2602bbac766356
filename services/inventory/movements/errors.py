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
        "{refused} line cannot be applied. The results name it. Correct it, then send all of "
        "them again.",
        "{refused} lines cannot be applied. The results name each. Correct them, then send "
        "all again.",
    )
    counted: ClassVar[str] = "refused"
    refused: int
    results: list[dict[str, object]]
