"""Holding stock: all lines of a reservation or none."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger import service as ledger
from services.inventory.ledger.errors import InsufficientStock
from services.inventory.ledger.rules import NO_LOT, Change, Level, Outcome
from services.inventory.locations.service import places_of
from services.inventory.reservations import queries
from services.inventory.reservations.errors import (
    InsufficientStockAnywhere,
    ReservationRefused,
)
from services.inventory.reservations.models import Reservation, ReservationHold
from services.inventory.reservations.queries import NamedHold
from services.inventory.reservations.rules import LASTS, NOTHING
from services.inventory.reservations.schemas import ReservationCreate, ReservationRead
from services.inventory.reservations.service.ending import as_held, checked_end, level_of
from services.inventory.reservations.service.reading import to_read
from services.inventory.reservations.service.spreading import Asking, spread_lines
from shared import journal
from shared.contracts.inventory.reservations import StockReserved
from shared.db import driver_connection
from shared.errors import Problem
from shared.ids import new_id
from shared.money import plain
from shared.principal import Principal


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
    asking = Asking(caller, request_id, await places_of(session, caller), until)
    found = await spread_lines(session, wanted.lines, asking)
    changes = [(line, change) for line, each in enumerate(found) for change in each.changes]
    changes.sort(key=lambda each: not _names_parts(each[1]))  # What goes out first takes the rest.
    refused = {line: each.problem for line, each in enumerate(found) if each.problem is not None}
    outcomes = await ledger.apply(session, [change for _, change in changes], atomic=True)
    for (line, _), outcome in zip(changes, outcomes, strict=True):
        if outcome.is_refused_itself:
            refused.setdefault(line, ledger.problem_of(outcome))
    if refused:
        problem = _refusal(refused, lines=len(wanted.lines), language=language)
        short_of = found[0].short_of
        if isinstance(problem, InsufficientStockAnywhere) and short_of is not None:
            comes = await ledger.find_next_receipt(session, short_of, places=asking.places)
            problem.next_receipt = None if comes is None else comes.as_told()
        raise problem
    reservation = Reservation(
        id=new_id(),
        reference=wanted.reference,
        expires_at=until,
        created_at=now,
        created_by=caller.actor,
    )
    named = _named_holds(
        reservation, [(line, one) for (line, _), one in zip(changes, outcomes, strict=True)]
    )
    holds = [each.hold for each in named]
    entry = StockReserved(
        reservation_id=reservation.id,
        reference=wanted.reference,
        expires_at=until,
        lines=[as_held(level_of(hold), hold.quantity) for hold in holds],
    )
    connection = await driver_connection(session)
    await queries.add(connection, reservation, holds, entry, journal.stamp_of(session))
    return to_read(reservation, queries.in_order(named), now)


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


def _names_parts(change: Change) -> bool:
    """Say whether a change says of which lots or serials it is."""
    return bool(change.shares or change.lot or change.serials)


def _named_holds(
    reservation: Reservation, granted: Iterable[tuple[int, Outcome]]
) -> list[NamedHold]:
    """Return what each line holds at each level, by the outcomes of what it asked."""
    found: dict[tuple[int, Level], NamedHold] = {}
    for line, outcome in granted:
        spot = outcome.spot
        if spot.item_id is None or spot.place_id is None:
            raise AssertionError("only what was found can be held")
        for part in outcome.parts:
            level = spot.item_id, spot.place_id, NO_LOT if part.lot is None else part.lot.id
            if (line, level) in found:
                hold = found[line, level].hold
                hold.quantity = hold.held = hold.quantity - part.quantity
                continue
            hold = _hold(reservation, line, level, -part.quantity)
            names = spot.code or "", spot.place or "", spot.tracking or "", part.lot
            found[line, level] = NamedHold(hold, *names)
    return list(found.values())


def _hold(reservation: Reservation, line: int, level: Level, quantity: Decimal) -> ReservationHold:
    item_id, location_id, lot_id = level
    return ReservationHold(
        reservation_id=reservation.id,
        line=line,
        item_id=item_id,
        location_id=location_id,
        lot_id=lot_id,
        quantity=quantity,
        held=quantity,
        committed=NOTHING,
        released=NOTHING,
        expired=NOTHING,
        expires_at=reservation.expires_at,
    )
