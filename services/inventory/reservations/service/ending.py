"""What becomes of what is held: it goes out, is released, held longer, or expires."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.freezes import service as freezes
from services.inventory.ledger import service as ledger
from services.inventory.ledger.rules import (
    NO_LOT,
    TRACKS_SERIALS,
    Change,
    Kind,
    Level,
    Reference,
)
from services.inventory.ledger.service import Locked
from services.inventory.locations.service import places_of
from services.inventory.reservations import queries
from services.inventory.reservations.errors import (
    MoreThanHeld,
    ReservationDone,
    ReservationOver,
    ReservationTimeUnfit,
)
from services.inventory.reservations.models import Reservation, ReservationHold
from services.inventory.reservations.queries import NamedHold
from services.inventory.reservations.rules import LASTS_MAX, NOTHING, share_out
from services.inventory.reservations.schemas import (
    ReservationCommittedRead,
    ReservationRead,
    ReservationTake,
    ReservationUpdate,
)
from services.inventory.reservations.service.reading import find_known, to_read
from shared import journal
from shared.contracts.inventory.reservations import (
    Held,
    ReservationCommitted,
    ReservationExtended,
    ReservationReleased,
)
from shared.identifiers import identifier_key
from shared.ids import new_id
from shared.principal import Principal

LEVELS_AT_ONCE = 500


async def issue(
    session: AsyncSession,
    reservation_id: UUID,
    wanted: ReservationTake,
    *,
    caller: Principal,
    request_id: str,
    now: datetime,
) -> ReservationCommittedRead:
    """Issue what is held, or part of it.

    Raises ReservationNotFound, ReservationOver, ReservationDone, MoreThanHeld, and what
    `ledger.problem_of` returns.
    """
    reservation, holds, _locked = await _lock(session, reservation_id, caller)
    taken = _taken(holds, wanted)
    places: dict[tuple[int, UUID], list[tuple[NamedHold, Decimal]]] = defaultdict(list)
    for each, quantity in taken:
        places[each.hold.line, each.hold.location_id].append((each, quantity))
    changes = [
        _issue_of(parts, reservation.reference, caller=caller, request_id=request_id)
        for parts in places.values()
    ]
    ledger.require_granted(await ledger.apply(session, changes, atomic=True))
    for each, quantity in taken:
        each.hold.held -= quantity
        each.hold.committed += quantity
    movements = [change.id for change in changes]
    journal.record(
        session, ReservationCommitted(reservation_id=reservation.id, movements=movements)
    )
    await session.flush()
    return ReservationCommittedRead(
        reservation=to_read(reservation, holds, now), movements=movements
    )


async def release(
    session: AsyncSession,
    reservation_id: UUID,
    wanted: ReservationTake,
    *,
    caller: Principal,
    now: datetime,
) -> ReservationRead:
    """Let what is held, or part of it, be anybody's again.

    Raises ReservationNotFound, ReservationOver, ReservationDone, MoreThanHeld.
    """
    reservation, holds, locked = await _lock(session, reservation_id, caller)
    freed: dict[Level, Decimal] = defaultdict(Decimal)
    lines: list[Held] = []
    for each, quantity in _taken(holds, wanted):
        each.hold.held -= quantity
        each.hold.released += quantity
        freed[level_of(each.hold)] += quantity
        lines.append(as_held(level_of(each.hold), quantity))
    await ledger.give_back(session, locked, freed)
    journal.record(session, ReservationReleased(reservation_id=reservation.id, lines=lines))
    await session.flush()
    return to_read(reservation, holds, now)


async def extend(
    session: AsyncSession,
    reservation_id: UUID,
    wanted: ReservationUpdate,
    *,
    caller: Principal,
    now: datetime,
) -> ReservationRead:
    """Let a reservation end at another time.

    Raises ReservationNotFound, ReservationOver, ReservationDone, ReservationTimeUnfit.
    """
    reservation, holds, locked = await _lock(session, reservation_id, caller)
    if wanted.expires_at is not None and wanted.expires_at != reservation.expires_at:
        until = reservation.expires_at = checked_end(wanted.expires_at, now)
        held = [each.hold for each in holds if each.hold.held > 0]
        for hold in held:
            hold.expires_at = until
        levels = {level_of(hold) for hold in held}
        await ledger.hold_until(session, locked, levels, until)
        journal.record(
            session, ReservationExtended(reservation_id=reservation.id, expires_at=until)
        )
        await session.flush()
    return to_read(reservation, holds, now)


async def list_due_tenants(session: AsyncSession) -> Sequence[UUID]:
    """Return the tenants in which something expired that still counts as held."""
    return await queries.list_due_tenants(session)


async def expire_due(session: AsyncSession) -> bool:
    """Give back what expired in the tenant; say whether there may be more.

    What is due is said by the database's clock, as the locks of its levels have it. Nothing depends
    on it but what lists show: a movement or a reservation looks for itself.
    """
    levels = await queries.list_due_levels(session, most=LEVELS_AT_ONCE)
    if levels:
        await ledger.lock_levels(session, levels)
        journal.mark_grown(session)
    return len(levels) == LEVELS_AT_ONCE


def checked_end(until: datetime, now: datetime) -> datetime:
    if not now < until <= now + LASTS_MAX:
        raise ReservationTimeUnfit(latest=now + LASTS_MAX)
    return until


async def _lock(
    session: AsyncSession, reservation_id: UUID, caller: Principal
) -> tuple[Reservation, Sequence[NamedHold], Locked]:
    """Return a reservation that holds something, with its levels under lock.

    Raises ReservationNotFound, ReservationOver, ReservationDone, Frozen.
    """
    _, holds = await find_known(session, reservation_id, caller)
    locked = await ledger.lock_levels(session, {level_of(each.hold) for each in holds})
    places = await places_of(session, caller)
    for spot in locked.spots.values():
        await freezes.require_not_frozen(session, spot.frozen_by, places=places)
    reservation, holds = await find_known(session, reservation_id, caller)  # As it is by now.
    if all(each.hold.held == 0 for each in holds):
        if any(each.hold.expired > 0 for each in holds):
            raise ReservationOver(expired_at=reservation.expires_at)
        raise ReservationDone
    return reservation, holds, locked


def _taken(holds: Sequence[NamedHold], wanted: ReservationTake) -> list[tuple[NamedHold, Decimal]]:
    """Return how much of each hold is meant. Raises MoreThanHeld."""
    if wanted.lines is None:
        return [(each, each.hold.held) for each in holds if each.hold.held > 0]
    taken: list[tuple[NamedHold, Decimal]] = []
    for asked in wanted.lines:
        of_line = [each for each in holds if each.hold.line == asked.line]
        if asked.serials is not None:
            keys = {identifier_key(serial) for serial in asked.serials}
            of_line = [each for each in of_line if _key_of(each) in keys]
        there = [each.hold.held for each in of_line]
        if sum(there, NOTHING) < asked.number:
            held = sum(there, NOTHING)
            raise MoreThanHeld(line=asked.line, held=held, requested=asked.number)
        parts = zip(of_line, share_out(asked.number, there), strict=True)
        taken += [(each, part) for each, part in parts if part > 0]
    return taken


def _key_of(each: NamedHold) -> str | None:
    """Return the key of the serial that is held."""
    is_serial = each.tracking == TRACKS_SERIALS and each.lot is not None
    return identifier_key(each.lot.code or "") if is_serial and each.lot else None


def _issue_of(
    parts: Sequence[tuple[NamedHold, Decimal]],
    reference: str | None,
    *,
    caller: Principal,
    request_id: str,
) -> Change:
    """Return the issue of what a line holds at one location, of each lot what is held of it."""
    first, _ = parts[0]
    return Change(
        id=new_id(),
        kind=Kind.ISSUE,
        item=Reference(first.hold.item_id, None, first.item),
        place=Reference(first.hold.location_id, None, first.location),
        actor=caller.actor,
        request_id=request_id,
        quantity=-sum((quantity for _, quantity in parts), NOTHING),
        is_held=True,
        shares=tuple((each.lot, -quantity) for each, quantity in parts if each.lot is not None),
        reference=reference,
    )


def as_held(level: Level, quantity: Decimal) -> Held:
    """Return how much is held at a level, as the journal says it."""
    item_id, location_id, lot_id = level
    return Held(
        item_id=item_id,
        location_id=location_id,
        lot_id=None if lot_id == NO_LOT else lot_id,
        quantity=quantity,
    )


def level_of(hold: ReservationHold) -> Level:
    return hold.item_id, hold.location_id, hold.lot_id
