"""What a count is, and what somebody's figures say together, decided without I/O."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID, uuid5

from shared.principal import Principal

LINES_MAX = 20_000  # Of one count.
NOTHING = Decimal(0)


class CountState(StrEnum):
    """Where a count is."""

    OPEN = "open"
    POSTED = "posted"
    CANCELLED = "cancelled"


class CountResult(StrEnum):
    """What became of a line when its count was posted."""

    POSTED = "posted"  # Stock is what was counted, less what moved since.
    ZEROED = "zeroed"  # Nobody counted it, and that was to mean none.
    KEPT = "kept"  # Nobody counted it, and that was to mean nothing.
    LEFT_OUT = "left_out"


class Uncounted(StrEnum):
    """What it is to mean at posting that nobody counted a line."""

    REFUSE = "refuse"
    KEEP = "keep"
    ZERO = "zero"


class Entered(NamedTuple):
    """One thing that a counter said of a line: all that lies there, or what lies at one spot more.

    A quantity of None takes back whatever he said of it before.
    """

    counter: UUID
    quantity: Decimal | None
    adds: bool
    counted_at: datetime
    seq: int


class Figure(NamedTuple):
    """What a line's entries say together."""

    quantity: Decimal
    counted_at: datetime
    is_disputed: bool


class _Own(NamedTuple):
    """What one counter says of a line."""

    quantity: Decimal
    counted_at: datetime
    is_whole: bool


def figure_of(entries: Sequence[Entered], lay: Mapping[datetime, Decimal]) -> Figure | None:
    """Return what the entries of one line say together; None if nothing.

    Of one counter the latest statement of the whole counts, and what he added after it. Counters
    who only added are added to that. Where several stated the whole, they agree if they differ
    from what `lay` there, each at his instant, by the same; else the line is disputed, and the
    latest of them is shown. lay is needed for the instants of several wholes alone.
    """
    own = [each for each in map(_own, _by_counter(entries)) if each is not None]
    if not own:
        return None
    wholes = sorted((each for each in own if each.is_whole), key=lambda each: each.counted_at)
    parts = [each for each in own if not each.is_whole]
    is_disputed = len(wholes) > 1 and len({w.quantity - lay[w.counted_at] for w in wholes}) > 1
    told = [*wholes[-1:], *parts]
    return Figure(
        quantity=sum((each.quantity for each in told), NOTHING),
        counted_at=max(each.counted_at for each in told),
        is_disputed=is_disputed,
    )


def instants_of(entries: Sequence[Entered]) -> list[datetime]:
    """Return the instants for which `figure_of` needs to know what lay there."""
    own = [each for each in map(_own, _by_counter(entries)) if each is not None]
    instants = [each.counted_at for each in own if each.is_whole]
    return instants if len(instants) > 1 else []


def unseen_serial(item_id: UUID, key: str) -> UUID:
    """Return the id by which a count knows a serial that was never seen, whoever finds it."""
    return uuid5(item_id, key)


def may_review(caller: Principal) -> bool:
    """Say whether the caller may see what is expected in blind counts, and post."""
    return caller.may("stock:write") and caller.may("inventory:write")


def is_hidden(*, blind: bool, state: str, line_round: int, caller: Principal) -> bool:
    """Say whether a line's figures but his own are kept from the caller.

    So it is in a blind count, and of a line that is counted again, until the count is closed.
    """
    return state == CountState.OPEN and (blind or line_round > 1) and not may_review(caller)


def _by_counter(entries: Sequence[Entered]) -> list[list[Entered]]:
    found: dict[UUID, list[Entered]] = defaultdict(list)
    for entry in sorted(entries, key=lambda each: (each.counted_at, each.seq)):
        found[entry.counter].append(entry)
    return list(found.values())


def _own(entries: Sequence[Entered]) -> _Own | None:
    """Return what one counter's entries say, in their order; None if he took all back."""
    own: _Own | None = None
    for entry in entries:
        if entry.quantity is None:
            own = None
        elif entry.adds and own is not None:
            own = own._replace(quantity=own.quantity + entry.quantity, counted_at=entry.counted_at)
        else:
            own = _Own(entry.quantity, entry.counted_at, not entry.adds)
    return own


class AbcClass(StrEnum):
    """How much of what is issued an item makes up: A the most."""

    A = "A"
    B = "B"
    C = "C"


_SHARES = ((AbcClass.A, Decimal("0.80")), (AbcClass.B, Decimal("0.95")))


def classify(issued: Mapping[UUID, Decimal]) -> dict[UUID, AbcClass]:
    """Return the class of each item by what was issued of it, the value or else the quantity.

    A is what makes up the first 80 % of the whole, the largest first, B what goes on to 95 %, C the
    rest; who was not issued is C.
    """
    total, before = sum(issued.values(), NOTHING), NOTHING
    found = {}
    for item_id, amount in sorted(issued.items(), key=lambda each: (-each[1], each[0])):
        within = (name for name, share in _SHARES if amount and before < total * share)
        found[item_id] = next(within, AbcClass.C)
        before += amount
    return found
