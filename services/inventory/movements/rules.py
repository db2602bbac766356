"""What movements do to stock, decided without I/O: signed changes, and who gets scarce units."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

LINES_MAX = 10_000
CLOCK_TOLERANCE = timedelta(minutes=5)  # How far ahead of ours a client's clock may run.


class Kind(StrEnum):
    """What a movement is."""

    RECEIPT = "receipt"
    ISSUE = "issue"
    TRANSFER = "transfer"
    ADJUSTMENT = "adjustment"
    COUNT_CORRECTION = "count_correction"


class Direction(StrEnum):
    """Which way an adjustment goes."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Level:
    """The stock of one item at one place, in stock units; reserved is part of on hand."""

    on_hand: Decimal
    reserved: Decimal

    @property
    def available(self) -> Decimal:
        return self.on_hand - self.reserved


@dataclass(frozen=True, slots=True)
class Wish:
    """One movement as asked for: what happens at `place`, and the opposite at `counterplace`.

    Exactly one of `change` (signed) and `counted` (the quantity found there) is set.
    """

    number: int
    item_id: UUID
    place: UUID
    change: Decimal | None = None
    counted: Decimal | None = None
    counterplace: UUID | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a wish can be granted: its change, or what was available instead."""

    number: int
    granted: bool
    change: Decimal
    available: Decimal


def signed_change(kind: Kind, quantity: Decimal, direction: Direction | None) -> Decimal | None:
    """Return what the movement adds at its location; None for a count, which depends on stock."""
    match kind:
        case Kind.RECEIPT:
            return quantity
        case Kind.ISSUE | Kind.TRANSFER:
            return -quantity
        case Kind.ADJUSTMENT:
            return quantity if direction is Direction.IN else -quantity
        case Kind.COUNT_CORRECTION:
            return None


def judge(
    wishes: Sequence[Wish], levels: Mapping[tuple[UUID, UUID], Level], *, atomic: bool
) -> list[Verdict]:
    """Decide wishes in their order against the levels by (item, location).

    Each is granted if and only if every level it touches stays at or above what is reserved
    there, after all granted before it. A refused one changes nothing, so a smaller one after it
    may still be granted; if `atomic`, one refusal refuses all.
    """
    state = dict(levels)
    verdicts = [_decide(wish, state) for wish in wishes]
    if atomic and not all(verdict.granted for verdict in verdicts):
        return [replace(verdict, granted=False) for verdict in verdicts]
    return verdicts


def crowded_items(lines: Iterable[tuple[UUID, bool]]) -> set[UUID]:
    """Return the items that were refused although several movements wanted them at once.

    `lines` are (item, was it refused). For a single movement the refusal is final; where several
    met, some of them may still be granted and must be judged one by one.
    """
    count: dict[UUID, int] = {}
    refused: set[UUID] = set()
    for item_id, was_refused in lines:
        count[item_id] = count.get(item_id, 0) + 1
        if was_refused:
            refused.add(item_id)
    return {item_id for item_id in refused if count[item_id] > 1}


def _decide(wish: Wish, state: dict[tuple[UUID, UUID], Level]) -> Verdict:
    here = (wish.item_id, wish.place)
    level = state[here]
    change = wish.counted - level.on_hand if wish.counted is not None else wish.change
    if change is None:
        raise ValueError("a wish has a change or a count")
    touched = {here: change}
    if wish.counterplace is not None:
        touched[wish.item_id, wish.counterplace] = -change
    after = {key: _moved(state[key], delta) for key, delta in touched.items()}
    granted = all(
        touched[key] >= 0 or reached.on_hand >= reached.reserved for key, reached in after.items()
    )
    if granted:
        state.update(after)
    return Verdict(wish.number, granted, change, level.available)


def _moved(level: Level, change: Decimal) -> Level:
    return replace(level, on_hand=level.on_hand + change)
