"""What is refused about counts."""

from dataclasses import dataclass
from typing import ClassVar

from services.inventory.freezes.errors import Frozen
from shared.errors import Conflict, Forbidden, NotFound, Unprocessable
from shared.i18n import N_, NP_


@dataclass(eq=False)
class CountNotFound(NotFound):
    """No count of this id has lines at locations that the caller may use."""

    slug: ClassVar[str] = "count-not-found"
    title: ClassVar[str] = N_("Count not found")
    detail: ClassVar[str] = N_(
        "There is no count {count} at locations that you may use. Check the id in the list of "
        "counts."
    )
    count: str


@dataclass(eq=False)
class CountClosed(Conflict):
    """A count is posted or cancelled once. Open another one to correct it."""

    slug: ClassVar[str] = "count-closed"
    title: ClassVar[str] = N_("Count closed")
    detail: ClassVar[str] = N_(
        "The count is closed and changes no more. To correct something, open another one."
    )
    state: str


@dataclass(eq=False)
class CountTooLarge(Unprocessable):
    """A count has at most 20,000 lines. Divide it by location or category."""

    slug: ClassVar[str] = "count-too-large"
    title: ClassVar[str] = N_("Count too large")
    detail: ClassVar[str] = N_(
        "Lines of a count at most: {lines_max}. Open several, by location or category."
    )
    lines_max: int


@dataclass(eq=False)
class CountLinesRefused(Conflict):
    """Some lines cannot be entered, so none is; `results` name each with the reason."""

    slug: ClassVar[str] = "count-lines-refused"
    title: ClassVar[str] = N_("Nothing was entered")
    detail: ClassVar[tuple[str, str]] = NP_(
        "{refused} line cannot be entered. The results name it. Correct it, then send all of "
        "them again.",
        "{refused} lines cannot be entered. The results name each. Correct them, then send all "
        "again.",
    )
    counted: ClassVar[str] = "refused"
    refused: int
    results: list[dict[str, object]]  # line, code, message


@dataclass(eq=False)
class OutsideCount(Conflict):
    """The item at that location is not within what the count covers."""

    slug: ClassVar[str] = "outside-count"
    title: ClassVar[str] = N_("Not part of the count")
    detail: ClassVar[str] = N_(
        "{item} at {location} is not part of this count. Check both, or open a count of them."
    )
    item: str
    location: str


@dataclass(eq=False)
class EntryIdUsed(Conflict):
    """An id names one entry for ever; sent again with other content it is refused."""

    slug: ClassVar[str] = "entry-id-used"
    title: ClassVar[str] = N_("Id already used")
    detail: ClassVar[str] = N_(
        "Another entry of this count has the id {entry}. Take a new id for a new entry."
    )
    entry: str


@dataclass(eq=False)
class RecountByAnother(Forbidden):
    """Who counted a line does not count it a second time, unless that was allowed."""

    slug: ClassVar[str] = "recount-by-another"
    title: ClassVar[str] = N_("To be counted by somebody else")
    detail: ClassVar[str] = N_(
        "You counted {item} at {location} before. Let somebody else count it, or ask for the "
        "recount with same_counter."
    )
    item: str
    location: str


@dataclass(eq=False)
class CountHidden(Forbidden):
    """In a blind count, what would tell what is expected is for who may post it."""

    slug: ClassVar[str] = "count-hidden"
    title: ClassVar[str] = N_("Not while it is counted blind")
    detail: ClassVar[str] = N_(
        "This would tell what is expected. Wait until the count is closed, or ask somebody who "
        "may post it."
    )


@dataclass(eq=False)
class NothingToRecount(Unprocessable):
    """Only lines that were counted are counted again."""

    slug: ClassVar[str] = "nothing-to-recount"
    title: ClassVar[str] = N_("Nothing to count again")
    detail: ClassVar[str] = N_(
        "Some of these lines were not counted. Name numbers of lines with a figure, or ask for "
        "those beyond tolerance or in dispute."
    )


@dataclass(eq=False)
class CountUnready(Conflict):
    """Some lines need somebody's work or word before the count can be posted."""

    slug: ClassVar[str] = "count-unready"
    title: ClassVar[str] = N_("Count not ready")
    detail: ClassVar[str] = N_(
        "Lines not counted: {uncounted}; to be counted again: {to_recount}; in dispute: "
        "{disputed}; beyond tolerance and counted once: {beyond_tolerance}. Count them, or say "
        "what to do: uncounted, accept_beyond_tolerance, leave_out."
    )
    uncounted: int
    to_recount: int
    disputed: int
    beyond_tolerance: int


@dataclass(eq=False)
class CountRefused(Conflict):
    """The ledger refuses some lines, so none is posted; `results` name each with the reason."""

    slug: ClassVar[str] = "count-refused"
    title: ClassVar[str] = N_("Nothing was posted")
    detail: ClassVar[tuple[str, str]] = NP_(
        "{refused} line cannot be posted. The results name it. Count it again, remove what is "
        "in the way, or leave it out.",
        "{refused} lines cannot be posted. The results name each. Count them again, remove what "
        "is in the way, or leave them out.",
    )
    counted: ClassVar[str] = "refused"
    refused: int
    results: list[dict[str, object]]  # line, item, location, lot, serial, code, message…


@dataclass(eq=False)
class CountFrozen(Frozen):
    """Lines lie where a freeze forbids changes; `lines` are their numbers."""

    lines: list[int]
