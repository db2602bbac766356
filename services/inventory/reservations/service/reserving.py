"""Holding stock: all lines of a reservation or none."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.items.errors import ItemNotFound, ItemRetired
from services.inventory.ledger import service as ledger
from services.inventory.ledger.errors import InsufficientStock
from services.inventory.ledger.rules import (
    Change,
    Kind,
    Outcome,
    Reference,
    Refusal,
    item_reference,
    place_reference,
    stock_units,
)
from services.inventory.ledger.service import Locked
from services.inventory.locations.service import places_of
from services.inventory.reservations import queries
from services.inventory.reservations.errors import (
    InsufficientStockAnywhere,
    ReservationRefused,
)
from services.inventory.reservations.models import Reservation
from services.inventory.reservations.rules import LASTS, NOTHING, share_out
from services.inventory.reservations.schemas import (
    ReservationCreate,
    ReservationLineCreate,
    ReservationRead,
)
from services.inventory.reservations.service.ending import checked_end
from services.inventory.reservations.service.reading import read
from shared import journal
from shared.contracts.inventory.reservations import Held, StockReserved
from shared.errors import Problem
from shared.ids import new_id
from shared.money import plain
from shared.principal import Places, Principal

_NOWHERE = Reference(UUID(int=0), None, "")


class _Asking(NamedTuple):
    """Who asks to hold something, by which request, and until when."""

    caller: Principal
    request_id: str
    places: Places
    until: datetime

    def change(self, item: str, place: Reference, quantity: Decimal, unit: str | None) -> Change:
        return Change(
            id=new_id(),
            kind=Kind.ISSUE,
            item=item_reference(item),
            place=place,
            actor=self.caller.actor,
            request_id=self.request_id,
            quantity=-quantity,
            unit=unit,
            places=self.places,
            holds_until=self.until,
        )


async def reserve(
    session: AsyncSession,
    wanted: ReservationCreate,
    *,
    caller: Principal,
    request_id: str,
    language: str,
    now: datetime,
) -> ReservationRead:
    """Hold what all lines ask for, or nothing.

    Raises ReservationTimeUnfit; what `ledger.problem_of` returns and InsufficientStockAnywhere, of
    one line alone; ReservationRefused with each line that cannot be held.
    """
    until = checked_end(wanted.expires_at or now + LASTS, now)
    asking = _Asking(caller, request_id, await places_of(session, caller), until)
    found = await _changes_of(session, wanted.lines, asking)
    changes = [(line, change) for line, each in enumerate(found) for change in each.changes]
    refused = {line: each.problem for line, each in enumerate(found) if each.problem is not None}
    outcomes = await ledger.apply(session, [change for _, change in changes], atomic=True)
    for (line, _), outcome in zip(changes, outcomes, strict=True):
        if outcome.refusal not in {None, Refusal.HELD_BACK}:
            refused.setdefault(line, ledger.problem_of(outcome))
    if refused:
        problem = _refusal(refused, lines=len(wanted.lines), language=language)
        short_of = found[0].short_of
        if isinstance(problem, InsufficientStockAnywhere) and short_of is not None:
            comes = await ledger.find_next_receipt(session, short_of, places=asking.places)
            problem.next_receipt = None if comes is None else comes.as_told()
        raise problem
    held: dict[tuple[int, UUID, UUID], Decimal] = defaultdict(Decimal)
    for (line, _), outcome in zip(changes, outcomes, strict=True):
        held[line, *_level_of(outcome)] -= outcome.quantity
    reservation = Reservation(
        id=new_id(),
        reference=wanted.reference,
        expires_at=until,
        created_at=now,
        created_by=caller.actor,
    )
    queries.add(session, reservation, held)
    lines = [
        Held(item_id=item_id, location_id=location_id, quantity=quantity)
        for (_, item_id, location_id), quantity in held.items()
    ]
    journal.record(
        session,
        StockReserved(
            reservation_id=reservation.id,
            reference=wanted.reference,
            expires_at=until,
            lines=lines,
        ),
    )
    await session.flush()
    return await read(session, reservation, now)


class _Found(NamedTuple):
    """What a line asks of single locations, or why it asks in vain."""

    changes: Sequence[Change] = ()
    problem: Problem | None = None
    short_of: UUID | None = None  # The item, if there is too little of it anywhere.


async def _changes_of(
    session: AsyncSession, lines: Sequence[ReservationLineCreate], asking: _Asking
) -> list[_Found]:
    """Return what each line asks, with all that any of them may touch under lock at once."""
    anywhere = {n: item_reference(line.item) for n, line in enumerate(lines) if not line.location}
    if not anywhere:
        return [_Found([_at(line, asking)]) for line in lines]
    items = list(anywhere.values())
    found = await queries.list_candidates(session, items, places=asking.places)
    candidates = dict(zip(anywhere, found, strict=True))
    pairs = {(item_reference(line.item), _place(line)): None for line in lines}
    pairs |= {(anywhere[n], place): None for n, places in candidates.items() for place in places}
    locked = await ledger.lock_levels(session, list(pairs))
    left: dict[tuple[UUID, UUID], Decimal] = {
        (item_id, place_id): balance.available
        for (item_id, place_id, _), balance in locked.balances.items()
    }
    for n, line in enumerate(lines):
        if n not in anywhere:
            _set_aside(line, locked, left, asking)
    return [
        _spread(line, candidates[n], locked, left, asking)
        if n in anywhere
        else _Found([_at(line, asking)])
        for n, line in enumerate(lines)
    ]


def _set_aside(
    line: ReservationLineCreate,
    locked: Locked,
    left: dict[tuple[UUID, UUID], Decimal],
    asking: _Asking,
) -> None:
    """Leave what a line asks of its own location to it, before others are served anywhere."""
    change = _at(line, asking)
    spot = locked.spots[change.item, change.place]
    if spot.item_id is not None and spot.place_id is not None:
        asked, _, misfit = stock_units(change, spot)
        if misfit is None:
            left[spot.item_id, spot.place_id] += asked  # It is negative.


def _spread(
    line: ReservationLineCreate,
    places: Sequence[Reference],
    locked: Locked,
    left: dict[tuple[UUID, UUID], Decimal],
    asking: _Asking,
) -> _Found:
    """Return what a line without a location asks of each that has some; `left` goes down by it."""
    item = item_reference(line.item)
    spot = locked.spots[item, _NOWHERE]
    if spot.item_id is None:
        return _Found(problem=ItemNotFound(item=line.item))
    if not spot.active:
        return _Found(problem=ItemRetired(item=spot.code or line.item))
    change = asking.change(line.item, _NOWHERE, line.quantity, line.unit)
    asked, unit, misfit = stock_units(change, spot)
    if spot.is_tracked:
        misfit = Refusal.LOTS_NOT_HELD
    if misfit is not None:
        refused = Outcome(change, spot, None, locked.now, misfit, given_unit=unit)
        return _Found(problem=ledger.problem_of(refused))
    open_to_all = [place for place in places if _is_open(locked, item, place)]
    levels = [(spot.item_id, place.id) for place in open_to_all if place.id is not None]
    there = [max(left[level], NOTHING) for level in levels]
    parts = share_out(-asked, there)
    if sum(parts, NOTHING) < -asked:
        frozen = [place for place in places if locked.spots[item, place].frozen_by is not None]
        if frozen:  # By whom and why, the ledger tells.
            return _Found([asking.change(line.item, frozen[0], line.quantity, line.unit)])
        available = sum(there, NOTHING)
        short = InsufficientStockAnywhere(
            item=spot.code or line.item, available=available, requested=-asked
        )
        return _Found(problem=short, short_of=spot.item_id)
    for level, part in zip(levels, parts, strict=True):
        left[level] -= part
    return _Found(
        [
            asking.change(line.item, place, part, spot.unit)
            for place, part in zip(open_to_all, parts, strict=True)
            if part > 0
        ]
    )


def _is_open(locked: Locked, item: Reference, place: Reference) -> bool:
    spot = locked.spots[item, place]
    return bool(spot.place_id and spot.place_active and spot.frozen_by is None)


def _place(line: ReservationLineCreate) -> Reference:
    return _NOWHERE if line.location is None else place_reference(line.location)


def _at(line: ReservationLineCreate, asking: _Asking) -> Change:
    return asking.change(line.item, _place(line), line.quantity, line.unit)


def _refusal(refused: Mapping[int, Problem], *, lines: int, language: str) -> Problem:
    if lines == 1:
        return refused[0]
    results: list[dict[str, object]] = [
        {
            "line": line,
            "code": problem.code,
            "message": problem.detail_in(language),
            "available": plain(problem.available)
            if isinstance(problem, InsufficientStock | InsufficientStockAnywhere)
            else None,
        }
        for line, problem in sorted(refused.items())
    ]
    return ReservationRefused(refused=len(results), results=results)


def _level_of(outcome: Outcome) -> tuple[UUID, UUID]:
    if outcome.spot.item_id is None or outcome.spot.place_id is None:
        raise AssertionError("only what was found can be held")
    return outcome.spot.item_id, outcome.spot.place_id
