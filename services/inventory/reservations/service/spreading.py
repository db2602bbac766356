"""Which locations, lots and serials the lines of a reservation are held of."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

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
from services.inventory.reservations.rules import NOTHING, share_out
from services.inventory.reservations.schemas import ReservationLineCreate
from shared.errors import Problem
from shared.identifiers import identifier_key
from shared.ids import new_id
from shared.principal import Places, Principal

_NOWHERE = Reference(UUID(int=0), None, "")


class Asking(NamedTuple):
    """Who asks to hold something, by which request, and until when."""

    caller: Principal
    request_id: str
    places: Places
    until: datetime

    def change(self, line: ReservationLineCreate, place: Reference) -> Change:
        """Return what a line asks of a location."""
        quantity = Decimal(len(line.serials or ())) if line.quantity is None else line.quantity
        return Change(
            id=new_id(),
            kind=Kind.ISSUE,
            item=item_reference(line.item),
            place=place,
            actor=self.caller.actor,
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


class _Stock(NamedTuple):
    """What is locked, and what of it no line has been given yet."""

    locked: Locked
    left: dict[Level, Decimal]

    def levels(self, line: ReservationLineCreate, spot: Spot) -> list[tuple[Level, Lot | None]]:
        """Return the levels at a place that a line may take from, in the order in which it does."""
        if spot.item_id is None or spot.place_id is None:
            return []
        item_id, place_id = spot.item_id, spot.place_id
        if not spot.is_tracked:
            return [((item_id, place_id, NO_LOT), None)]
        names = line.serials if spot.has_serials else line.lot and [line.lot]
        keys = None if names is None else {identifier_key(name) for name in names}
        return [
            ((item_id, place_id, lot.id), lot)
            for lot in self.locked.lots.first_expired_first_out(item_id, place_id)
            if not lot.is_expired(self.locked.now)
            and (keys is None or identifier_key(lot.code or "") in keys)
        ]

    def take(
        self, levels: Sequence[tuple[Level, Lot | None]], wanted: Decimal
    ) -> list[tuple[Level, Lot | None, Decimal]]:
        """Return how much of each level a line is given of what it wants, and leave the rest."""
        there = [max(self.left.get(level, NOTHING), NOTHING) for level, _ in levels]
        given = [
            (level, lot, part)
            for (level, lot), part in zip(levels, share_out(wanted, there), strict=True)
            if part > 0
        ]
        for level, _, part in given:
            self.left[level] -= part
        return given


async def spread_lines(
    session: AsyncSession, lines: Sequence[ReservationLineCreate], asking: Asking
) -> list[Found]:
    """Return what each line asks, with all that any of them may touch under lock at once."""
    anywhere = {n: item_reference(line.item) for n, line in enumerate(lines) if not line.location}
    if not anywhere:
        return [Found([asking.change(line, _place(line))]) for line in lines]
    items = list(anywhere.values())
    found = await queries.list_candidates(session, items, places=asking.places)
    candidates = dict(zip(anywhere, found, strict=True))
    pairs = {(item_reference(line.item), _place(line)): None for line in lines}
    pairs |= {(anywhere[n], place): None for n, places in candidates.items() for place in places}
    locked = await ledger.lock_places(session, list(pairs))
    left = {level: balance.available for level, balance in locked.balances.items()}
    stock = _Stock(locked, left)
    # What has a location, and names what it wants of it, has no choice: it is served first.
    for n in sorted(range(len(lines)), key=lambda n: not _names_parts(lines[n])):
        if n not in anywhere:
            _set_aside(lines[n], stock, asking)
    return [
        _spread(line, candidates[n], stock, asking)
        if n in anywhere
        else Found([asking.change(line, _place(line))])
        for n, line in enumerate(lines)
    ]


def _names_parts(line: ReservationLineCreate) -> bool:
    return line.lot is not None or line.serials is not None


def _set_aside(line: ReservationLineCreate, stock: _Stock, asking: Asking) -> None:
    """Leave what a line asks of its own location to it, before others are served anywhere."""
    change = asking.change(line, _place(line))
    spot = stock.locked.spots[change.item, change.place]
    asked, _, misfit = stock_units(change, spot)
    if misfit is None:
        stock.take(stock.levels(line, spot), -asked)


def _spread(
    line: ReservationLineCreate, places: Sequence[Reference], stock: _Stock, asking: Asking
) -> Found:
    """Return what a line without a location asks of each that has some."""
    locked, item = stock.locked, item_reference(line.item)
    spot = locked.spots[item, _NOWHERE]
    if spot.item_id is None:
        return Found(problem=ItemNotFound(item=line.item))
    if not spot.active:
        return Found(problem=ItemRetired(item=spot.code or line.item))
    change = asking.change(line, _NOWHERE)
    asked, unit, misfit = stock_units(change, spot)
    misfit = misfit or misfit_of_serials(change, spot, asked)
    if change.lot is not None and not spot.has_lots:
        misfit = Refusal.NO_LOTS
    if misfit is not None:
        refused = Outcome(change, spot, None, locked.now, misfit, asked, given_unit=unit)
        return Found(problem=ledger.problem_of(refused))
    ends = {place: locked.spots[item, place] for place in places}
    levels = [each for end in ends.values() if _is_open(end) for each in stock.levels(line, end)]
    available = sum((max(stock.left.get(level, NOTHING), NOTHING) for level, _ in levels), NOTHING)
    if available < -asked:
        frozen = [place for place, end in ends.items() if end.frozen_by is not None]
        if frozen:  # By whom and why, the ledger tells.
            return Found([asking.change(line, frozen[0])])
        code = spot.code or line.item
        short = InsufficientStockAnywhere(item=code, available=available, requested=-asked)
        return Found(problem=short, short_of=spot.item_id)
    given = stock.take(levels, -asked)
    return Found(
        [
            _part(change, place, [each for each in given if each[0][1] == end.place_id], spot)
            for place, end in ends.items()
            if any(level[1] == end.place_id for level, _, _ in given)
        ]
    )


def _part(
    change: Change, place: Reference, given: Sequence[tuple[Level, Lot | None, Decimal]], spot: Spot
) -> Change:
    """Return what is asked of one location: of each lot or serial what it was given."""
    return change._replace(
        id=new_id(),
        place=place,
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
