"""What inventory journals of physical counts of stock."""

from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from shared.journal import Entry

PROOF_BYTES = 8  # Of each entry of a count, behind the sixteen of its id.


class CountOpened(Entry):
    """Somebody began to count; an empty list means all."""

    name: ClassVar[str] = "inventory.count-opened.v1"
    subject_of: ClassVar[tuple[str, str]] = ("count", "count_id")
    count_id: UUID
    title: str | None
    blind: bool
    locations: list[UUID]
    with_children: bool
    categories: list[UUID]
    items: list[UUID]
    lines: int
    tolerance_percent: Decimal | None
    tolerance_quantity: Decimal | None


class CountEntered(Entry):
    """Somebody said what he counted: so many entries of one call, on so many lines.

    The entries themselves are rows of `count_entries`, which nobody can change. `digest` proves
    them: SHA-256, in hex, over a line for each in the order of `seq`, ending in a line feed: id,
    number, round, quantity (plain; `-` for null), `add` or `all`, counted_at in microseconds since
    1970, with a space between. `proofs` proves each, so that one that was changed, removed or
    inserted can be named: base64 of 24 bytes for each in that order, its id and the first 8 of
    SHA-256 of that line without its end, counter_id, given_quantity (plain) and given_unit, with a
    space between; `-` for null.
    """

    name: ClassVar[str] = "inventory.count-entered.v1"
    subject_of: ClassVar[tuple[str, str]] = ("count", "count_id")
    count_id: UUID
    entries: int
    lines: int
    found: int  # Lines that were not on the list.
    digest: str
    proofs: str = ""  # None of what was entered before there were any.


class RecountAsked(Entry):
    """These lines are to be counted again."""

    name: ClassVar[str] = "inventory.count-recount-asked.v1"
    subject_of: ClassVar[tuple[str, str]] = ("count", "count_id")
    count_id: UUID
    lines: list[int]  # Their numbers.
    same_counter: bool


class CountPosted(Entry):
    """What was counted is stock: each line posted or zeroed is a movement of its own.

    Its reference is the id of the count.
    """

    name: ClassVar[str] = "inventory.count-posted.v1"
    subject_of: ClassVar[tuple[str, str]] = ("count", "count_id")
    count_id: UUID
    posted: int
    zeroed: int  # Not counted, and taken for none.
    kept: int  # Not counted, and left as they were.
    left_out: int
    differing: int  # Of those posted and zeroed.


class CountCancelled(Entry):
    """A count was given up; stock is as it was."""

    name: ClassVar[str] = "inventory.count-cancelled.v1"
    subject_of: ClassVar[tuple[str, str]] = ("count", "count_id")
    count_id: UUID
    reason: str | None
