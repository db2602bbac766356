"""What needs somebody else's approval, and what has become of one, decided without I/O."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from services.inventory.ledger.rules import Change, Kind
from shared.money import plain

WINDOW = timedelta(hours=24)  # In which what a person changes of an item counts together.
GROWTH_MAX = Decimal("0.10")  # By so much may it be worth more than when it was asked for.
_NOTHING = Decimal(0)
BUCKETS = 64  # By which uses of limits are locked: a call of many items takes no more locks.
WEIGHED = frozenset({Kind.WRITE_OFF, Kind.ADJUSTMENT, Kind.COUNT_CORRECTION, Kind.RETURN})


class ApprovalKind(StrEnum):
    """What is done once an approval is given. To add one: `service.open_approval` says how."""

    MOVEMENTS = "movements"
    REVERSAL = "reversal"
    COUNT = "count"  # Posting one.
    RECEIPT = "receipt"  # The last one of a transfer in two stages, with a difference.
    ASSEMBLY = "assembly"  # Of kits, or taking them apart, where what lies there is worth other.


class ApprovalState(StrEnum):
    """What has become of an approval."""

    OPEN = "open"
    APPROVED = "approved"  # And done.
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    STALE = "stale"  # What it was based on has changed, or is over.


class ApprovalCause(StrEnum):
    """Why an approval is needed."""

    VALUE = "value"  # It is worth more than the limit.
    DAY = "day"  # With what the same person changed of the item within a day.
    UNKNOWN_COST = "unknown_cost"  # So many units of what has no cost that can be read.


class StaleCause(StrEnum):
    """Why an approval cannot be given any more."""

    COUNTED = "counted"  # Stock that it touches was counted since.
    QUANTITY = "quantity"  # It would move another quantity than was asked.
    VALUE = "value"  # It is worth more by now.
    CONTENT = "content"  # It is not what was asked.
    OVER = "over"  # What it hangs on is closed: a count, a transfer, a movement undone.
    REPLACED = "replaced"  # Who asked has asked for something else of the same since.


# Of these there is one of a thing: who asks again means the later.
ONCE = frozenset({ApprovalKind.REVERSAL, ApprovalKind.COUNT, ApprovalKind.RECEIPT})


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """What holds unless a tenant's administrators say otherwise."""

    threshold: Decimal  # In the tenant's currency.
    lasts: timedelta


class Load(NamedTuple):
    """What one change does to the stock of an item, and what a unit of it costs.

    The cost is None if there is none, or if it cannot be read.
    """

    item_id: UUID
    quantity: Decimal  # Signed, in stock units.
    unit_cost: Decimal | None
    is_unreadable: bool = False


@dataclass(slots=True)
class Scales:
    """Weighs what a person asks to change against what he may change alone.

    `limit` is an amount, `unknown_limit` stock units of an item without a cost; None is no limit.
    `done` is what he changed alone within the window, by item, gains less losses; `granted` what
    was weighed since, and found within the limits.
    """

    limit: Decimal | None
    unknown_limit: Decimal | None
    done: Mapping[UUID, Decimal] = field(default_factory=dict)
    granted: defaultdict[UUID, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def counts(self, load: Load) -> bool:
        """Say whether what was changed of the item within the window matters to a change of it."""
        if load.unit_cost is None:
            return self.unknown_limit is not None
        return self.limit is not None and load.unit_cost > 0

    def weigh(self, loads: Sequence[Load]) -> ApprovalCause | None:
        """Return why somebody else must approve these changes together; None if nobody must.

        Their values count whichever way they go; what is changed within the window, by its sum.
        """
        loads = [load for load in loads if load.quantity]
        added: defaultdict[UUID, Decimal] = defaultdict(Decimal)
        for load in loads:
            added[load.item_id] += load.quantity
        if self.limit is not None:
            cause = self._worth(loads, added, self.limit)
            if cause is not None:
                return cause
        if self.unknown_limit is not None and self._is_unknown(loads, added, self.unknown_limit):
            return ApprovalCause.UNKNOWN_COST
        for item_id, quantity in added.items():
            self.granted[item_id] += quantity
        return None

    def _worth(
        self, loads: Sequence[Load], added: Mapping[UUID, Decimal], limit: Decimal
    ) -> ApprovalCause | None:
        if any(load.is_unreadable for load in loads):
            return ApprovalCause.UNKNOWN_COST
        if (value_of(loads) or _NOTHING) > limit:
            return ApprovalCause.VALUE
        for load in loads:
            if self._of_day(load, added) * (load.unit_cost or _NOTHING) > limit:
                return ApprovalCause.DAY
        return None

    def _is_unknown(
        self, loads: Sequence[Load], added: Mapping[UUID, Decimal], limit: Decimal
    ) -> bool:
        """Say whether so much moves of an item without a cost, now or within the window."""
        moved: defaultdict[UUID, Decimal] = defaultdict(Decimal)
        of_day: dict[UUID, Decimal] = {}
        for load in loads:
            if load.unit_cost is None:
                moved[load.item_id] += abs(load.quantity)
                of_day[load.item_id] = self._of_day(load, added)
        return any(max(moved[item_id], of_day[item_id]) > limit for item_id in moved)

    def _of_day(self, load: Load, added: Mapping[UUID, Decimal]) -> Decimal:
        """Return what an item gains or loses within the window; nothing if this makes it less."""
        done = self.done.get(load.item_id, _NOTHING) + self.granted[load.item_id]
        total = done + added[load.item_id]
        return abs(total) if abs(total) > abs(done) else _NOTHING


def is_weighed(change: Change) -> bool:
    """Say whether a change is of those whose value is limited: no document from outside shows it.

    These are corrections, what customers bring back, and what undoes one of these or a receipt.
    """
    if change.reverses is None:
        kind, quantity = change.kind, change.quantity
    elif change.reverses.kind is Kind.RECEIPT:
        return True
    else:
        kind, quantity = change.reverses.kind, -(change.quantity or _NOTHING)
    return kind in WEIGHED and (kind is not Kind.RETURN or (quantity or _NOTHING) > 0)


def find_untied(
    returns: Sequence[tuple[UUID, str | None, Decimal]],
    out: Mapping[tuple[UUID, str], Decimal],
) -> set[int]:
    """Return which returns, by their places, bring back more than is out under their reference.

    Of each its item, reference and quantity are given; `out` is what was issued of an item under a
    reference and has not come back.
    """
    left = dict(out)
    untied = set()
    for number, (item_id, reference, quantity) in enumerate(returns):
        key = item_id, reference or ""
        left[key] = left.get(key, _NOTHING) - quantity
        if reference is None or left[key] < 0:
            untied.add(number)
    return untied


def buckets_of(item_ids: Iterable[UUID]) -> list[int]:
    """Return by what the uses of these items are locked, in the order of locking."""
    return sorted({item_id.int % BUCKETS for item_id in item_ids})


def value_of(loads: Sequence[Load]) -> Decimal | None:
    """Return what changes are worth together, whichever way they go; None if no cost is known."""
    values = [abs(load.quantity) * load.unit_cost for load in loads if load.unit_cost is not None]
    return sum(values, _NOTHING) if values else None


def has_outgrown(value: Decimal | None, then: Decimal | None) -> bool:
    """Say whether something is worth so much more than then that it must be asked for anew."""
    return value is not None and then is not None and value > then * (1 + GROWTH_MAX)


def state_of(state: ApprovalState, expires_at: datetime, now: datetime) -> ApprovalState:
    """Return what has become of an approval; one whose time is over has expired, swept or not."""
    is_over = state is ApprovalState.OPEN and expires_at <= now
    return ApprovalState.EXPIRED if is_over else state


class AskedLine(NamedTuple):
    """What one change does to one level, as judged when it was asked for."""

    line: int
    item_id: UUID
    location_id: UUID
    lot_id: UUID
    quantity: Decimal  # Signed, in stock units.


def hash_content(kind: str, content: Mapping[str, Any], lines: Sequence[AskedLine]) -> bytes:
    """Return what tells what is asked from anything else: SHA-256 of its JSON, keys in order."""
    asked = [[*map(str, line[:-1]), plain(line.quantity)] for line in sorted(lines)]
    written = {"kind": kind, "content": content, "lines": asked}
    return hashlib.sha256(orjson.dumps(written, option=orjson.OPT_SORT_KEYS)).digest()


def hash_asked(
    kind: str, same: Mapping[str, Any], lines: Sequence[AskedLine], *, number: int = 0
) -> bytes:
    """Return what two requests have in common that ask for the same: SHA-256, as of the content.

    `same` is what was said, without what differs each time; of a count that alone is not enough,
    so what would move counts too. Of those that are the same on purpose `number` tells one from
    another.
    """
    moved = sorted([*map(str, at), plain(quantity)] for at, quantity in _by_change(lines).items())
    written = {"kind": kind, "same": same, "moved": moved, "number": number}
    return hashlib.sha256(orjson.dumps(written, option=orjson.OPT_SORT_KEYS)).digest()


def has_moved(asked: Sequence[AskedLine], found: Sequence[AskedLine]) -> bool:
    """Say whether some change would move another quantity by now, of whichever lots."""
    return _by_change(asked) != _by_change(found)


def _by_change(lines: Sequence[AskedLine]) -> dict[tuple[int, UUID, UUID], Decimal]:
    sums: defaultdict[tuple[int, UUID, UUID], Decimal] = defaultdict(Decimal)
    for line in lines:
        sums[line.line, line.item_id, line.location_id] += line.quantity
    return dict(sums)
