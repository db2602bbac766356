from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy import (
    Date,
    DateTime,
    String,
    Uuid,
    column,
    exists,
    func,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger.rules import TRACKS_LOTS, TRACKS_SERIALS, Level, Lot, Reference
from services.inventory.reservations.models import Reservation, ReservationHold
from shared.db import Stamp
from shared.ids import new_id
from shared.journal import Entry
from shared.principal import Places

PLACES_TRIED = 500  # For a line that names no location.


@dataclass(frozen=True, slots=True)
class ReservationFilter:
    """Which reservations to list, all of whose holds are at the places; None means any."""

    now: datetime
    active: bool | None = None
    reference: str | None = None
    item: Reference | None = None
    places: Places = None


class NamedHold(NamedTuple):
    """A hold, with what its item and location are called today, and the lot that it is of."""

    hold: ReservationHold
    item: str
    location: str
    tracking: str  # Of the item.
    lot: Lot | None  # A serial too; None of an item without either.


async def find_reservation(session: AsyncSession, reservation_id: UUID) -> Reservation | None:
    """Return the reservation as it is now."""
    query = select(Reservation).where(Reservation.id == reservation_id)
    return await session.scalar(query, execution_options={"populate_existing": True})


async def list_holds(
    session: AsyncSession, reservation_ids: Collection[UUID]
) -> Sequence[NamedHold]:
    """Return all holds of the reservations as they are now, line by line.

    Of a line what expires first comes first, then the largest.
    """
    query = (
        select(
            ReservationHold,
            _ITEMS.c.code,
            _LOCATIONS.c.name,
            _ITEMS.c.tracking,
            _LOTS.c.code.label("lot"),
            _LOTS.c.expires_on,
            _LOTS.c.received_at,
        )
        .join(_ITEMS, _ITEMS.c.id == ReservationHold.item_id)
        .join(_LOCATIONS, _LOCATIONS.c.id == ReservationHold.location_id)
        .outerjoin(_LOTS, _LOTS.c.id == ReservationHold.lot_id)
        .where(ReservationHold.reservation_id.in_(reservation_ids))
        .order_by(
            ReservationHold.reservation_id,
            ReservationHold.line,
            _LOTS.c.expires_on,
            _LOTS.c.received_at,
            ReservationHold.quantity.desc(),
            _LOCATIONS.c.name.collate("C"),  # As `in_order` has it.
            ReservationHold.lot_id,
        )
    )
    rows = await session.execute(query, execution_options={"populate_existing": True})
    return [_named(*row) for row in rows]


def in_order(holds: Iterable[NamedHold]) -> list[NamedHold]:
    """Return the holds of one reservation in the order in which `list_holds` gives them."""
    return sorted(holds, key=_rank)


def _rank(each: NamedHold) -> tuple[object, ...]:
    expires_on = received_at = None
    if each.lot is not None:
        expires_on, received_at = each.lot.expires_on, each.lot.received_at
    return (
        each.hold.line,
        expires_on or date.max,
        received_at or _NEVER,
        -each.hold.quantity,
        each.location,
        each.hold.lot_id,
    )


def _named(hold: ReservationHold, item: str, location: str, tracking: str, *lot: Any) -> NamedHold:  # noqa: ANN401 - the columns of a lot.
    is_tracked = tracking in {TRACKS_LOTS, TRACKS_SERIALS}
    return NamedHold(hold, item, location, tracking, Lot(hold.lot_id, *lot) if is_tracked else None)


async def list_reservations(
    session: AsyncSession, wanted: ReservationFilter, *, before_id: UUID | None, limit: int
) -> Sequence[Reservation]:
    """Return reservations that match every filter given, newest first."""
    query = select(Reservation).order_by(Reservation.id.desc()).limit(limit)
    of_it = ReservationHold.reservation_id == Reservation.id
    if wanted.active is not None:
        holds = exists().where(of_it, ReservationHold.held > 0)
        is_active = (Reservation.expires_at > wanted.now) & holds
        query = query.where(is_active if wanted.active else ~is_active)
    if wanted.reference is not None:
        query = query.where(Reservation.reference == wanted.reference)
    if wanted.item is not None:
        item_id = select(_IDENTIFIERS.c.item_id).where(_IDENTIFIERS.c.key == wanted.item.key)
        named = func.coalesce(literal(wanted.item.id, Uuid), item_id.scalar_subquery())
        query = query.where(exists().where(of_it, ReservationHold.item_id == named))
    if wanted.places is not None:
        outside = ReservationHold.location_id.not_in(wanted.places)
        query = query.where(~exists().where(of_it, outside))
    if before_id is not None:
        query = query.where(Reservation.id < before_id)
    return (await session.scalars(query)).all()


async def list_candidates(
    session: AsyncSession, items: Sequence[Reference], *, places: Places
) -> list[list[Reference]]:
    """Return for each item the locations that may have it, the one with the most first."""
    parameters = {
        "numbers": list(range(len(items))),
        "ids": [item.id for item in items],
        "keys": [item.key for item in items],
        "places": None if places is None else list(places),
        "most": PLACES_TRIED,
    }
    found: list[list[Reference]] = [[] for _ in items]
    for row in await session.execute(_CANDIDATES, parameters):
        found[row.n].append(Reference(row.location_id, None, row.location))
    return found


async def list_due_tenants(session: AsyncSession) -> Sequence[UUID]:
    """Return the tenants in which some hold has expired and still counts as held."""
    return (await session.scalars(_DUE_TENANTS)).all()


async def list_due_levels(session: AsyncSession, *, most: int) -> Sequence[Level]:
    """Return the levels of the tenant at which some hold has expired."""
    rows = await session.execute(_DUE_LEVELS, {"most": most})
    return [(row.item_id, row.location_id, row.lot_id) for row in rows]


async def add(
    connection: asyncpg.Connection,
    reservation: Reservation,
    holds: Sequence[ReservationHold],
    entry: Entry,
    stamp: Stamp,
) -> None:
    """Write a reservation with its holds, and its entry in the journal, in one statement."""
    columns = [
        [getattr(hold, name) for hold in holds]
        for name in ("line", "item_id", "location_id", "lot_id", "quantity")
    ]
    told = new_id(), stamp.actor, stamp.request_id, entry.name, entry.subject
    await connection.execute(
        _ADD,
        *(reservation.id, reservation.reference, reservation.expires_at),
        *(reservation.created_at, reservation.created_by),
        *columns,
        *(*told, entry.model_dump_json()),
    )


_NEVER = datetime.max.replace(tzinfo=UTC)
_ITEMS = table("items", column("id", Uuid), column("code", String), column("tracking", String))
_LOTS = table(
    "lots",
    column("id", Uuid),
    column("code", String),
    column("expires_on", Date),
    column("received_at", DateTime),
)
_LOCATIONS = table("locations", column("id", Uuid), column("name", String))
_IDENTIFIERS = table("identifiers", column("key", String), column("item_id", Uuid))
_CANDIDATES = text("""
    SELECT k.n, v.location_id, v.location
    FROM (
        SELECT w.n, coalesce(w.id, (SELECT item_id FROM identifiers WHERE key = w.key)) AS item_id
        FROM unnest(CAST(:numbers AS int[]), CAST(:ids AS uuid[]), CAST(:keys AS text[]))
             AS w(n, id, key)
        OFFSET 0
    ) k
    CROSS JOIN LATERAL (
        SELECT l.id AS location_id, l.name AS location, sum(v.available) AS available
        FROM levels_now v JOIN locations l ON l.id = v.location_id
        WHERE v.item_id = k.item_id AND v.on_hand > 0 AND l.active AND l.type <> 'transit'
            AND (CAST(:places AS uuid[]) IS NULL OR l.id = ANY(CAST(:places AS uuid[])))
        GROUP BY l.id, l.name ORDER BY available DESC, l.name LIMIT :most
    ) v
    ORDER BY k.n, v.available DESC, v.location""")
_DUE_TENANTS = text("SELECT tenant_id FROM tenants_with_due_holds(now())")
_DUE_LEVELS = text("""
    SELECT DISTINCT item_id, location_id, lot_id FROM reservation_holds
    WHERE held > 0 AND expires_at <= now() LIMIT :most""")
_ADD = """
WITH made AS (
    INSERT INTO reservations (id, reference, expires_at, created_at, created_by)
    VALUES ($1, $2, $3, $4, $5)
), held AS (
    INSERT INTO reservation_holds
        (reservation_id, line, item_id, location_id, lot_id, quantity, held, expires_at)
    SELECT $1, line, item_id, location_id, lot_id, quantity, quantity, $3
    FROM unnest($6::int[], $7::uuid[], $8::uuid[], $9::uuid[], $10::numeric[])
         AS w(line, item_id, location_id, lot_id, quantity)
)
INSERT INTO journal (id, actor, request_id, type, subject, data)
VALUES ($11, $12, $13, $14, $15, $16)
"""
