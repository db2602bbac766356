"""Which locations, lots and serials the lines of a reservation are held of."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.inventory.items.errors import ItemNotFound, ItemRetired
from services.inventory.ledger import service as ledger
from services.inventory.ledger.rules import (
    NO_LOT,
    Change,
    Kind,
    Level,
    Lot,
    Outcome,
    Reference,
    Refusal,
    Spot,
    item_reference,
    lot_name,
    misfit_of_serials,
    place_reference,
    stock_units,
)
from services.inventory.ledger.service import Locked
from services.inventory.reservations import queries
from services.inventory.reservations.errors import InsufficientStockAnywhere
from services.inventory.reservations.rules import LASTS, NOTHING, share_out
from services.inventory.reservations.schemas import (
    ReservationCreate,
    ReservationLineCreate,
    ReservationRead,
)
from shared.errors import Problem
from shared.identifiers import identifier_key
from shared.ids import new_id
from shared.principal import Places, Principal
from shared.request_key import RequestKey

_NOWHERE = Reference(UUID(int=0), None, "")


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks to hold what until when, by which request, and under which Idempotency-Key."""

    wanted: ReservationCreate
    caller: Principal
    request_id: str
    language: str
    places: Places  # That the caller may know of.
    asked_at: datetime
    request_key: RequestKey | None = None
    keep: Callable[[ReservationRead], str] | None = None  # What is kept of the answer, sealed.

    @property
    def actor(self) -> str:
        return self.caller.actor

    @property
    def until(self) -> datetime:
        return self.wanted.expires_at or self.asked_at + LASTS

    @property
    def key(self) -> str | None:
        return None if self.request_key is None else self.request_key.text

    def change(self, line: ReservationLineCreate, place: Reference) -> Change:
        """Return what a line asks of a location."""
        quantity = Decimal(len(line.serials or ())) if line.quantity is None else line.quantity
        return Change(
            id=new_id(),
            kind=Kind.ISSUE,
            item=item_reference(line.item),
            place=place,
            actor=self.actor,
            request_id=self.request_id,
            quantity=-quantity,
            unit=line.unit,
            places=self.places,
            holds_until=self.until,
            lot=None if line.lot is None else lot_name(line.lot),
            serials=None if line.serials is None else tuple(map(lot_name, line.serials)),
            is_told_by_serials=line.quantity is None,
        )


class Found(NamedTuple):
    """What a line asks of single locations, or why it asks in vain."""

    changes: Sequence[Change] = ()
    problem: Problem | None = None
    short_of: UUID | None = None  # The item, if there is too little of it anywhere.


Wanted = tuple[Places, Reference, tuple[str, ...]]  # For whom, of which item, which serials.
Candidates = Mapping[Wanted, Sequence[Reference]]


async def list_candidates(connection: asyncpg.Connection, asked: Iterable[Asking]) -> Candidates:
    """Return where there may be some of what lines without a location want, for each caller.

    That is wherever the item lies, or the serials that are named.
    """
    found: dict[Wanted, Sequence[Reference]] = {}
    items: dict[Places, dict[Reference, None]] = defaultdict(dict)
    for asking in asked:
        for line in asking.wanted.lines:
            if line.location is None:
                found[_wanted(asking, line)] = ()
    for places, item, serials in found:
        if serials:
            rows = await queries.list_places_of(connection, item, serials, places=places)
            found[places, item, serials] = rows
        else:
            items[places][item] = None
    for places, of_items in items.items():
        listed = await queries.list_candidates(connection, list(of_items), places=places)
        found |= {(places, item, ()): rows for item, rows in zip(of_items, listed, strict=True)}
    return found


def _wanted(asking: Asking, line: ReservationLineCreate) -> Wanted:
    serials = tuple(sorted(map(identifier_key, line.serials or ())))
    return asking.places, item_reference(line.item), serials


def possible_changes(asking: Asking, candidates: Candidates) -> list[list[Change]]:
    """Return what each line asks of its location; without one of none, then of each candidate."""
    found = []
    for line in asking.wanted.lines:
        asked = asking.change(line, _place(line))
        found.append([asked])
        if line.location is None:
            tried = candidates[_wanted(asking, line)]
            found[-1] += [asked._replace(id=new_id(), place=place) for place in tried]
    return found


def spread_lines(
    asking: Asking, possible: Sequence[Sequence[Change]], locked: Locked
) -> list[Found]:
    """Return what each line asks in the end, with all that any of them may touch under lock."""
    lines = asking.wanted.lines
    stock = _Stock(locked)
    if any(line.location is None for line in lines):
        # What has a location, and names what it wants of it, has no choice: it is served first.
        fixed = [
            changes[0]
            for line, changes in zip(lines, possible, strict=True)
            if line.location is not None
        ]
        for change in sorted(fixed, key=lambda each: not each.names_parts):
            stock.set_aside(change)
    return [
        _spread(line, changes, stock) if line.location is None else Found(changes)
        for line, changes in zip(lines, possible, strict=True)
    ]


@dataclass(slots=True)
class _Stock:
    """What is locked, and what of it no line has been given yet."""

    locked: Locked
    _left: dict[Level, Decimal] = field(default_factory=dict)

    def left(self, level: Level) -> Decimal:
        if level not in self._left:
            balance = self.locked.balances.get(level)
            self._left[level] = NOTHING if balance is None else balance.available
        return self._left[level]

    def levels(self, change: Change, spot: Spot) -> list[tuple[Level, Lot | None]]:
        """Return the levels at a place that a line may take from, in the order in which it does."""
        if spot.item_id is None or spot.place_id is None:
            return []
        item_id, place_id = spot.item_id, spot.place_id
        if not spot.is_tracked:
            return [((item_id, place_id, NO_LOT), None)]
        lots = self.locked.lots
        names = change.serials if spot.has_serials else change.lot and (change.lot,)
        if names is None:
            found = lots.first_expired_first_out(item_id, place_id)
        else:
            known = (lots.named.get((item_id, name.key)) for name in names)
            found = [lot for lot in known if lot is not None and not lot.is_new]
        return [
            ((item_id, place_id, lot.id), lot)
            for lot in found
            if not lot.is_expired(self.locked.now)
        ]

    def take(
        self, levels: Sequence[tuple[Level, Lot | None]], wanted: Decimal
    ) -> list[tuple[Level, Lot | None, Decimal]]:
        """Return how much of each level a line is given of what it wants, and leave the rest."""
        there = [self.left(level) for level, _ in levels]
        given = [
            (level, lot, part)
            for (level, lot), part in zip(levels, share_out(wanted, there), strict=True)
            if part > 0
        ]
        for level, _, part in given:
            self._left[level] -= part
        return given

    def set_aside(self, change: Change) -> None:
        """Leave what a line asks of its own location to it, before others are served anywhere."""
        spot = self.locked.spots[change.item, change.place]
        asked, _, misfit = stock_units(change, spot)
        if misfit is None:
            self.take(self.levels(change, spot), -asked)


def _spread(line: ReservationLineCreate, possible: Sequence[Change], stock: _Stock) -> Found:
    """Return what a line without a location asks of each that has some."""
    locked, (change, *tried) = stock.locked, possible
    spot = locked.spots[change.item, change.place]
    if spot.item_id is None:
        return Found(problem=ItemNotFound(item=line.item))
    if not spot.active:
        return Found(problem=ItemRetired(item=spot.code or line.item))
    asked, unit, misfit = stock_units(change, spot)
    misfit = misfit or misfit_of_serials(change, spot, asked)
    if change.lot is not None and not spot.has_lots:
        misfit = Refusal.NO_LOTS
    if misfit is not None:
        refused = Outcome(change, spot, None, locked.now, misfit, asked, given_unit=unit)
        return Found(problem=ledger.problem_of(refused))
    ends = [(each, locked.spots[each.item, each.place]) for each in tried]
    found = [(each, end, stock.levels(each, end)) for each, end in ends]
    # The fullest first, as others of the group have left them.
    found.sort(key=lambda each: -sum((stock.left(level) for level, _ in each[2]), NOTHING))
    ends = [(each, end) for each, end, _ in found]
    levels = [one for _, end, at in found if _is_open(end) for one in at]
    available = sum((stock.left(level) for level, _ in levels), NOTHING)
    if available < -asked:
        frozen = [each for each, end in ends if end.frozen_by is not None]
        if frozen:  # By whom and why, the ledger tells.
            return Found(frozen[:1])
        code = spot.code or line.item
        short = InsufficientStockAnywhere(item=code, available=available, requested=-asked)
        return Found(problem=short, short_of=spot.item_id)
    given = stock.take(levels, -asked)
    return Found(
        [
            _part(each, [one for one in given if one[0][1] == end.place_id], spot)
            for each, end in ends
            if any(level[1] == end.place_id for level, _, _ in given)
        ]
    )


def _part(change: Change, given: Sequence[tuple[Level, Lot | None, Decimal]], spot: Spot) -> Change:
    """Return what is asked of one location: of each lot or serial what it was given."""
    return change._replace(
        quantity=-sum((part for _, _, part in given), NOTHING),
        unit=spot.unit,
        lot=None,
        serials=None,
        is_told_by_serials=False,
        shares=tuple((lot, -part) for _, lot, part in given if lot is not None),
    )


def _is_open(spot: Spot) -> bool:
    return bool(spot.place_id and spot.place_active and spot.frozen_by is None)


def _place(line: ReservationLineCreate) -> Reference:
    return _NOWHERE if line.location is None else place_reference(line.location)
