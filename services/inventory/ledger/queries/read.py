"""Reading the ledger."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger.rules import Level, LotName, Reference
from shared.db import driver_connection
from shared.principal import Places


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One change of one level; `location` and `item` are names as they are today."""

    seq: int
    id: UUID
    leg: int
    kind: str
    item: str
    item_id: UUID
    location: str
    location_id: UUID
    quantity: Decimal  # Signed.
    balance_after: Decimal
    cost_id: UUID | None  # Of the unit cost that the movement brought.
    cost_sealed: bytes | None
    reason_code: str | None
    reason: str | None
    reference: str | None
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    backdated: bool
    given_quantity: Decimal | None
    given_unit: str | None
    reverses: UUID | None
    part_of: UUID | None
    reversed_by: UUID | None
    counterlocation: str | None
    tracking: str
    lot: str | None  # Or the serial.
    lot_id: UUID


_SELECT = """
    SELECT m.seq, m.id, m.leg, m.kind, i.code AS item, m.item_id, l.name AS location,
           m.location_id, m.quantity, m.balance_after, p.id AS cost_id, p.amount AS cost_sealed,
           m.reason_code, m.reason, m.reference, m.actor, m.occurred_at, m.recorded_at, m.backdated,
           m.given_quantity, m.given_unit, m.reverses, m.part_of, r.reversal_id AS reversed_by,
           (SELECT cl.name FROM movements c JOIN locations cl ON cl.id = c.location_id
            WHERE m.kind IN ('transfer', 'reversal') AND c.id = m.id{counter}
                AND c.location_id <> m.location_id LIMIT 1) AS counterlocation,
           i.tracking, t.code AS lot, m.lot_id
    FROM movements m
    JOIN items i ON i.id = m.item_id
    JOIN locations l ON l.id = m.location_id
    LEFT JOIN reversals r ON r.movement_id = m.id
    LEFT JOIN lots t ON t.id = m.lot_id
    LEFT JOIN prices p ON p.id = m.cost_id AND p.source = 'receipt'
"""


_ALL = _SELECT.format(counter="")
_WHERE_IT_BEGINS = """
    WHERE m.id = $1 AND ($2::uuid[] IS NULL OR m.location_id = ANY($2::uuid[]))
        AND m.location_id = (SELECT location_id FROM movements WHERE id = $1 AND leg = $3::int)
    ORDER BY m.leg"""
# The other end of the first row alone: of ten thousand it would be looked for among as many.
_ONE = (
    _SELECT.format(
        counter=" AND m.leg = $3::int AND ($2::uuid[] IS NULL OR c.location_id = ANY($2::uuid[]))"
    )
    + _WHERE_IT_BEGINS
)
_FIRST_AT = """
    SELECT min(leg)::int FROM movements
    WHERE id = $1 AND ($2::uuid[] IS NULL OR location_id = ANY($2::uuid[]))"""
_WITHIN = _SELECT.format(counter=" AND c.location_id = ANY(CAST(:places AS uuid[]))")


async def find_movement(
    connection: asyncpg.Connection, movement_id: UUID, *, places: Places
) -> list[LedgerRow]:
    """Return the rows of a movement where it begins, lot by lot; none elsewhere than at places."""
    known = None if places is None else list(places)
    rows = await connection.fetch(_ONE, movement_id, known, 0)
    return [LedgerRow(**dict(row)) for row in rows]


async def find_movement_at(
    session: AsyncSession, movement_id: UUID, *, places: Places
) -> list[LedgerRow]:
    """Return the rows of a movement at the first location that it touches of these places."""
    connection = await driver_connection(session)
    known = None if places is None else list(places)
    first_leg = await connection.fetchval(_FIRST_AT, movement_id, known)
    rows = await connection.fetch(_ONE, movement_id, known, first_leg)
    return [LedgerRow(**dict(row)) for row in rows]


async def get_recorded(
    session: AsyncSession, movement_id: UUID, *, places: Places
) -> list[LedgerRow]:
    """Return such rows of a movement that was just recorded at known places."""
    connection = await driver_connection(session)
    rows = await find_movement(connection, movement_id, places=places)
    if not rows:
        raise LookupError("the movement was recorded in this transaction")
    return rows


@dataclass(frozen=True, slots=True)
class MovementFilter:
    """Which ledger rows to list; None means any.

    Of a transfer to or from another than the `places` the other end is left out.
    """

    item: Reference | None = None
    location: Reference | None = None
    lot: LotName | None = None
    lot_ids: Collection[UUID] | None = None  # Serials too.
    way: Literal["in", "out"] | None = None
    kind: str | None = None
    reference: str | None = None
    from_time: datetime | None = None
    to_time: datetime | None = None
    places: Places = None


async def list_movements(
    session: AsyncSession, wanted: MovementFilter, *, before_seq: int | None, limit: int
) -> list[LedgerRow]:
    """Return ledger rows, newest first, that match every filter given."""
    parameters: dict[str, Any] = {"limit": limit}
    conditions: list[str] = []
    if wanted.places is not None:
        conditions.append("m.location_id = ANY(CAST(:places AS uuid[]))")
        parameters["places"] = list(wanted.places)
    if wanted.item is not None:
        conditions.append(_OF_ITEM)
        parameters |= {"item_id": wanted.item.id, "item_key": wanted.item.key}
    if wanted.location is not None:
        conditions.append(_AT_LOCATION)
        parameters |= {"location_id": wanted.location.id, "name_key": wanted.location.key}
    if wanted.lot is not None:
        conditions.append(_OF_LOT)
        parameters["lot_key"] = wanted.lot.key
    if wanted.lot_ids is not None:
        conditions.append(_OF_LOTS)
        parameters["lot_ids"] = list(wanted.lot_ids)
    if wanted.way is not None:
        conditions.append("m.quantity > 0" if wanted.way == "in" else "m.quantity < 0")
    plain = {
        "m.kind = :kind": wanted.kind,
        "m.reference = :reference": wanted.reference,
        "m.occurred_at >= :from_time": wanted.from_time,
        "m.occurred_at < :to_time": wanted.to_time,
        "m.seq < :before_seq": before_seq,
    }
    for condition, value in plain.items():
        if value is not None:
            conditions.append(condition)
            parameters[condition.rpartition(":")[2]] = value
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    select = _ALL if wanted.places is None else _WITHIN
    rows = await session.execute(
        text(select + where + "ORDER BY m.seq DESC LIMIT :limit"), parameters
    )
    return [LedgerRow(**row) for row in rows.mappings()]


async def stock_now(
    session: AsyncSession, item_id: UUID, *, places: Places
) -> Sequence[RowMapping]:
    """Return what lies of an item at each of the places."""
    parameters = {"item_id": item_id, "places": None if places is None else list(places)}
    return (await session.execute(_NOW, parameters)).mappings().all()


async def is_counted(
    session: AsyncSession, levels: Collection[tuple[Level, datetime]], *, since: datetime
) -> bool:
    """Say whether one of the levels was counted, as of the instant given with it or later.

    Only counts that were recorded after `since` are looked at.
    """
    if not levels:
        return False
    items, places, lots = zip(*(level for level, _ in levels), strict=True)
    names = {
        "items": list(items),
        "places": list(places),
        "lots": list(lots),
        "instants": [instant for _, instant in levels],
        "since": since,
    }
    return bool(await session.scalar(_COUNTED, names))


async def sum_issued_under(
    session: AsyncSession, named: Collection[tuple[UUID, str]]
) -> dict[tuple[UUID, str], Decimal]:
    """Return what was issued of items under references and has not come back."""
    items, references = zip(*named, strict=True)
    names = {"items": list(items), "references": list(references)}
    rows = await session.execute(_ISSUED_UNDER, names)
    return {(row.item_id, row.reference): row.issued for row in rows}


# As sub-queries of their own: row-level security lets no other condition use an index.
_OF_ITEM = """m.item_id = (SELECT coalesce(
    CAST(:item_id AS uuid), (SELECT item_id FROM identifiers WHERE key = :item_key)))"""
_AT_LOCATION = """m.location_id = (SELECT coalesce(
    CAST(:location_id AS uuid), (SELECT id FROM locations WHERE name_key = :name_key)))"""
_OF_LOTS = """m.lot_id = ANY(CAST(:lot_ids AS uuid[]))
    AND m.lot_id <> '00000000-0000-0000-0000-000000000000'"""  # As the index has it.
_OF_LOT = "m.lot_id = ANY(ARRAY(SELECT id FROM lots WHERE key = :lot_key))"
# Serials are counted: one row for all that lie at a location.
_NOW = text("""
    SELECT l.name AS location, v.location_id, t.code AS lot, t.expires_on, v.on_hand, v.reserved,
           v.available
    FROM (
        SELECT location_id, CASE WHEN NOT is_serial THEN lot_id END AS lot_id,
               sum(on_hand) AS on_hand, sum(reserved) AS reserved, sum(available) AS available
        FROM levels_now
        WHERE item_id = :item_id AND on_hand <> 0
            AND (CAST(:places AS uuid[]) IS NULL OR location_id = ANY(CAST(:places AS uuid[])))
        GROUP BY 1, 2
    ) v JOIN locations l ON l.id = v.location_id LEFT JOIN lots t ON t.id = v.lot_id
    ORDER BY l.name, t.expires_on, t.received_at, t.key""")
_COUNTED = text("""
    SELECT EXISTS (
        SELECT FROM unnest(CAST(:items AS uuid[]), CAST(:places AS uuid[]), CAST(:lots AS uuid[]),
                           CAST(:instants AS timestamptz[])) AS w(item_id, place_id, lot_id, at)
        CROSS JOIN LATERAL (
            SELECT FROM movements
            WHERE item_id = w.item_id AND location_id = w.place_id AND lot_id = w.lot_id
                AND occurred_at >= w.at AND recorded_at > :since AND kind = 'count_correction'
            LIMIT 1
        ) m)""")
_ISSUED_UNDER = text("""
    SELECT w.item_id, w.reference, m.issued
    FROM unnest(CAST(:items AS uuid[]), CAST(:references AS text[])) AS w(item_id, reference)
    CROSS JOIN LATERAL (
        SELECT -coalesce(sum(quantity), 0) AS issued FROM movements
        WHERE item_id = w.item_id AND reference = w.reference
            AND kind IN ('issue', 'return', 'reversal')
    ) m""")
