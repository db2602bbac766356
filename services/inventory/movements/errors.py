from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Conflict, NotFound
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


@dataclass(eq=False)
class MovementNotFound(NotFound):
    """No movement between locations that the caller may use has this id."""

    slug: ClassVar[str] = "movement-not-found"
    title: ClassVar[str] = N_("Movement not found")
    detail: ClassVar[str] = N_(
        "There is no movement {movement} whose locations you may all use. Check the id in the "
        "list of movements."
    )
    movement: str


@dataclass(eq=False)
class MovementUnknown(MovementNotFound):
    """No movement at a location that the caller may know of has this id."""

    detail: ClassVar[str] = N_(
        "There is no movement {movement} at locations that you may use. Check the id in the list "
        "of movements."
    )


@dataclass(eq=False)
class ReversalIsFinal(Conflict):
    """What was undone is recorded anew, not undone twice."""

    slug: ClassVar[str] = "reversal-is-final"
    title: ClassVar[str] = N_("A reversal stays")
    detail: ClassVar[str] = N_(
        "A reversal is not reversed. Record the movement that it undid anew."
    )
