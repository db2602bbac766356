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
from shared.ids import new_id
from shared.journal import Entry
from shared.principal import Places
from shared.request_key import RequestKey

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


class NewReservation(NamedTuple):
    """A reservation to write, its entry in the journal, and its answer, sealed, under its key."""

    reservation: Reservation
    holds: Sequence[ReservationHold]
    entry: Entry
    request_id: str
    key: RequestKey | None
    answer: str | None


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
    connection: asyncpg.Connection, items: Sequence[Reference], *, places: Places
) -> list[list[Reference]]:
    """Return for each item the locations that may have it, the one with the most first."""
    ids, keys = [item.id for item in items], [item.key for item in items]
    at = None if places is None else list(places)
    found: list[list[Reference]] = [[] for _ in items]
    rows = await connection.fetch(_CANDIDATES, range(len(items)), ids, keys, at, PLACES_TRIED)
    for number, location_id, location in rows:
        found[number].append(Reference(location_id, None, location))
    return found


async def list_places_of(
    connection: asyncpg.Connection, item: Reference, serials: Collection[str], *, places: Places
) -> list[Reference]:
    """Return the locations at which some of these serials of an item lie, by their keys."""
    at = None if places is None else list(places)
    rows = await connection.fetch(_PLACES_OF, item.id, item.key, list(serials), at, PLACES_TRIED)
    return [Reference(location_id, None, location) for location_id, location in rows]


async def list_due_tenants(session: AsyncSession) -> Sequence[UUID]:
    """Return the tenants in which some hold has expired and still counts as held."""
    return (await session.scalars(_DUE_TENANTS)).all()


async def list_due_levels(session: AsyncSession, *, most: int) -> Sequence[Level]:
    """Return the levels of the tenant at which some hold has expired."""
    rows = await session.execute(_DUE_LEVELS, {"most": most})
    return [(row.item_id, row.location_id, row.lot_id) for row in rows]


async def add(connection: asyncpg.Connection, made: Sequence[NewReservation]) -> None:
    """Write reservations with their holds, entries in the journal, and keys, in one statement."""
    reservations = [each.reservation for each in made]
    holds = [hold for each in made for hold in each.holds]
    keyed = [(each, each.key) for each in made if each.key is not None]
    await connection.execute(
        _ADD,
        *_columns(reservations, "id", "reference", "expires_at", "created_at", "created_by"),
        *_columns(
            holds,
            *("reservation_id", "line", "item_id", "location_id", "lot_id", "quantity"),
            "expires_at",
        ),
        [each.reservation.created_by for each, _ in keyed],
        [key.text for _, key in keyed],
        [key.fingerprint for _, key in keyed],
        [each.answer for each, _ in keyed],
        [new_id() for _ in made],
        *_columns(made, "request_id"),
        [each.entry.name for each in made],
        [each.entry.subject for each in made],
        [each.entry.model_dump_json() for each in made],
    )


def _columns(rows: Sequence[object], *names: str) -> list[list[Any]]:
    return [[getattr(row, name) for row in rows] for name in names]


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
_CANDIDATES = """
SELECT k.n, v.location_id, v.location
FROM (
    SELECT w.n, coalesce(w.id, (SELECT item_id FROM identifiers WHERE key = w.key)) AS item_id
    FROM unnest($1::int[], $2::uuid[], $3::text[]) AS w(n, id, key)
    OFFSET 0
) k
CROSS JOIN LATERAL (
    SELECT l.id AS location_id, l.name AS location, sum(v.available) AS available
    FROM levels_now v JOIN locations l ON l.id = v.location_id
    WHERE v.item_id = k.item_id AND v.on_hand > 0 AND l.active AND l.type <> 'transit'
        AND ($4::uuid[] IS NULL OR l.id = ANY($4::uuid[]))
    GROUP BY l.id, l.name ORDER BY available DESC, l.name LIMIT $5
) v
ORDER BY k.n, v.available DESC, v.location
"""
_PLACES_OF = """
SELECT DISTINCT l.id, l.name
FROM (SELECT coalesce($1::uuid, (SELECT item_id FROM identifiers WHERE key = $2)) AS item_id) k
JOIN lots s ON s.item_id = k.item_id AND s.key = ANY($3::text[])
JOIN levels_now v ON v.item_id = s.item_id AND v.lot_id = s.id AND v.on_hand > 0
JOIN locations l ON l.id = v.location_id AND l.active AND l.type <> 'transit'
WHERE $4::uuid[] IS NULL OR l.id = ANY($4::uuid[])
ORDER BY l.name LIMIT $5
"""
_DUE_TENANTS = text("SELECT tenant_id FROM tenants_with_due_holds(now())")
_DUE_LEVELS = text("""
    SELECT DISTINCT item_id, location_id, lot_id FROM reservation_holds
    WHERE held > 0 AND expires_at <= now() LIMIT :most""")
_ADD = """
/* insert reservations */ WITH made AS (
    INSERT INTO reservations (id, reference, expires_at, created_at, created_by)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[])
), held AS (
    INSERT INTO reservation_holds
        (reservation_id, line, item_id, location_id, lot_id, quantity, held, expires_at)
    SELECT reservation_id, line, item_id, location_id, lot_id, quantity, quantity, expires_at
    FROM unnest($6::uuid[], $7::int[], $8::uuid[], $9::uuid[], $10::uuid[], $11::numeric[],
                $12::timestamptz[])
         AS w(reservation_id, line, item_id, location_id, lot_id, quantity, expires_at)
), kept AS (
    INSERT INTO idempotency_keys (actor, key, fingerprint, answer)
    SELECT actor, key, fingerprint, to_jsonb(answer)
    FROM unnest($13::text[], $14::text[], $15::bytea[], $16::text[])
         AS w(actor, key, fingerprint, answer)
    ORDER BY actor, key
)
INSERT INTO journal (id, actor, request_id, type, subject, data)
SELECT id, actor, request_id, type, subject, data::json
FROM unnest($17::uuid[], $5::text[], $18::text[], $19::text[], $20::text[], $21::text[])
     AS w(id, actor, request_id, type, subject, data)
"""
