"""What reservations hold, as callers see them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger.rules import TRACKS_SERIALS, item_reference
from services.inventory.locations.service import places_of
from services.inventory.reservations import queries
from services.inventory.reservations.errors import ReservationNotFound
from services.inventory.reservations.models import Reservation
from services.inventory.reservations.queries import NamedHold, ReservationFilter
from services.inventory.reservations.rules import NOTHING, status_of
from services.inventory.reservations.schemas import (
    HoldRead,
    ReservationLineRead,
    ReservationPage,
    ReservationQuery,
    ReservationRead,
)
from shared.pagination import Keyset
from shared.principal import Principal

_NEWEST = Keyset("newest", UUID)


async def get_reservation(
    session: AsyncSession, reservation_id: UUID, *, caller: Principal, now: datetime
) -> ReservationRead:
    """Return a reservation. Raises ReservationNotFound."""
    reservation, holds = await find_known(session, reservation_id, caller)
    return to_read(reservation, holds, now)


async def list_reservations(
    session: AsyncSession, wanted: ReservationQuery, *, caller: Principal, now: datetime
) -> ReservationPage:
    """Return one page of reservations, newest first. Raises InvalidCursor."""
    after = _NEWEST.after(wanted.cursor)
    filters = ReservationFilter(
        now=now,
        active=wanted.active,
        reference=wanted.reference,
        item=None if wanted.item is None else item_reference(wanted.item),
        places=await places_of(session, caller),
    )
    rows = await queries.list_reservations(
        session, filters, before_id=after[0] if after else None, limit=wanted.limit + 1
    )
    page, next_cursor = _NEWEST.page(rows, wanted.limit, lambda row: (row.id,))
    holds: dict[UUID, list[NamedHold]] = defaultdict(list)
    for each in await queries.list_holds(session, [row.id for row in page]):
        holds[each.hold.reservation_id].append(each)
    return ReservationPage(
        items=[to_read(row, holds[row.id], now) for row in page], next_cursor=next_cursor
    )


async def find_known(
    session: AsyncSession, reservation_id: UUID, caller: Principal
) -> tuple[Reservation, Sequence[NamedHold]]:
    """Return a reservation all of which the caller may know of. Raises ReservationNotFound."""
    places = await places_of(session, caller)
    reservation = await queries.find_reservation(session, reservation_id)
    holds = await queries.list_holds(session, [reservation_id])
    is_known = places is None or all(each.hold.location_id in places for each in holds)
    if reservation is None or not is_known:
        raise ReservationNotFound(reservation=str(reservation_id))
    return reservation, holds


def to_read(reservation: Reservation, holds: Sequence[NamedHold], now: datetime) -> ReservationRead:
    """Return a reservation with all its holds, in the order of `queries.list_holds`."""
    is_over = now >= reservation.expires_at
    lines: dict[int, list[NamedHold]] = defaultdict(list)
    for each in holds:
        lines[each.hold.line].append(each)
    amounts = _amounts(holds, is_over=False)
    return ReservationRead(
        id=reservation.id,
        status=status_of(
            held=amounts["held"],
            committed=amounts["committed"],
            expired=amounts["expired"],
            expires_at=reservation.expires_at,
            now=now,
        ),
        reference=reservation.reference,
        expires_at=reservation.expires_at,
        created_at=reservation.created_at,
        created_by=reservation.created_by,
        lines=[_line_read(line, of_line, is_over=is_over) for line, of_line in lines.items()],
    )


def _line_read(line: int, holds: Sequence[NamedHold], *, is_over: bool) -> ReservationLineRead:
    first = holds[0]
    return ReservationLineRead.model_validate(
        {
            "line": line,
            "item": first.item,
            "item_id": first.hold.item_id,
            **_amounts(holds, is_over=is_over),
            "holds": [_hold_read(each, is_over=is_over) for each in _by_place(holds)],
        }
    )


def _by_place(holds: Sequence[NamedHold]) -> Iterable[Sequence[NamedHold]]:
    """Return the holds one by one; those of serials at one location together."""
    found: dict[tuple[UUID, UUID | None], list[NamedHold]] = defaultdict(list)
    for each in holds:
        lot_id = None if each.tracking == TRACKS_SERIALS else each.hold.lot_id
        found[each.hold.location_id, lot_id].append(each)
    return found.values()


def _hold_read(holds: Sequence[NamedHold], *, is_over: bool) -> HoldRead:
    first = holds[0]
    serials = [
        each.lot.code for each in holds if each.lot is not None and each.hold.held and not is_over
    ]
    is_serial = first.tracking == TRACKS_SERIALS
    return HoldRead.model_validate(
        {
            "location": first.location,
            "location_id": first.hold.location_id,
            "lot": None if is_serial or first.lot is None else first.lot.code,
            "serials": serials if is_serial else [],
        }
        | _amounts(holds, is_over=is_over)
    )


def _amounts(holds: Sequence[NamedHold], *, is_over: bool) -> dict[str, Decimal]:
    """Return what the holds were for, and what has become of it, all together.

    What is held when the time is over has expired, whether or not it was given back yet.
    """
    found = {
        name: sum((getattr(each.hold, name) for each in holds), NOTHING)
        for name in ("quantity", "held", "committed", "released", "expired")
    }
    if is_over:
        found |= {"held": NOTHING, "expired": found["expired"] + found["held"]}
    return found
