from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.ledger.rules import LotName, Reference
from shared.principal import Places

FOUND_MAX = 100  # Items that have a serial of the same name.


async def find_serials(
    connection: asyncpg.Connection, name: LotName, item: Reference | None, *, places: Places
) -> list[asyncpg.Record]:
    """Return the serials so called, of an item or of any, that were at these places."""
    item_id, item_key = (item.id, item.key) if item is not None else (None, None)
    known = None if places is None else list(places)
    rows: list[asyncpg.Record] = await connection.fetch(
        _NAMED, name.key, item is None, item_id, item_key, known, FOUND_MAX
    )
    return rows


async def list_serials(
    session: AsyncSession,
    item_id: UUID,
    *,
    location_id: UUID | None,
    on_hand: bool | None,
    after: tuple[str] | None,
    places: Places,
    limit: int,
) -> Sequence[RowMapping]:
    """Return serials of an item that were at these places, in the order of their keys."""
    parameters = {
        "item_id": item_id,
        "location_id": location_id,
        "on_hand": on_hand,
        "after": after[0] if after else None,
        "places": None if places is None else list(places),
        "limit": limit,
    }
    return (await session.execute(_LIST, parameters)).mappings().all()


async def list_history(
    session: AsyncSession,
    serial_ids: Collection[UUID],
    *,
    after: tuple[datetime, int] | None,
    places: Places,
    limit: int,
) -> Sequence[RowMapping]:
    """Return the movements of these serials at the places, in the order of their times."""
    instant, seq = after or (None, None)
    parameters = {
        "serial_ids": list(serial_ids),
        "instant": instant,
        "seq": seq,
        "places": None if places is None else list(places),
        "limit": limit,
    }
    return (await session.execute(_HISTORY, parameters)).mappings().all()


_NAMED = """
SELECT t.id, i.code AS item, t.item_id, t.code AS serial, l.name AS location, v.location_id,
       coalesce(v.reserved > 0, false) AS reserved, t.received_at
FROM (
    SELECT * FROM lots WHERE key = $1 AND ($2 OR item_id = (
        SELECT coalesce($3::uuid, (SELECT item_id FROM identifiers WHERE key = $4)))) OFFSET 0
) t
JOIN items i ON i.id = t.item_id
LEFT JOIN LATERAL (
    SELECT location_id, reserved FROM levels_now
    WHERE serial_id = t.id AND ($5::uuid[] IS NULL OR location_id = ANY($5::uuid[])) OFFSET 0
) v ON true
LEFT JOIN locations l ON l.id = v.location_id
WHERE i.tracking = 'serial' AND ($5::uuid[] IS NULL OR EXISTS (
    SELECT FROM levels
    WHERE lot_id = t.id AND is_serial AND location_id = ANY($5::uuid[])))
ORDER BY i.code LIMIT $6
"""
_LIST = text("""
    SELECT t.id, i.code AS item, t.item_id, t.code AS serial, l.name AS location, v.location_id,
           coalesce(v.reserved > 0, false) AS reserved, t.received_at, t.key
    FROM lots t JOIN items i ON i.id = t.item_id
    LEFT JOIN LATERAL (
        SELECT location_id, reserved FROM levels_now
        WHERE serial_id = t.id AND (CAST(:places AS uuid[]) IS NULL
                                    OR location_id = ANY(CAST(:places AS uuid[]))) OFFSET 0
    ) v ON true
    LEFT JOIN locations l ON l.id = v.location_id
    WHERE t.item_id = :item_id AND i.tracking = 'serial'
        AND (CAST(:after AS text) IS NULL OR t.key > :after)
        AND (CAST(:places AS uuid[]) IS NULL OR EXISTS (
            SELECT FROM levels
            WHERE lot_id = t.id AND is_serial AND location_id = ANY(CAST(:places AS uuid[]))))
        AND (CAST(:location_id AS uuid) IS NULL OR EXISTS (
            SELECT FROM levels
            WHERE lot_id = t.id AND is_serial AND location_id = :location_id))
        AND (CAST(:on_hand AS bool) IS NULL OR :on_hand = (
            v.location_id IS NOT NULL
            AND v.location_id = coalesce(CAST(:location_id AS uuid), v.location_id)))
    ORDER BY t.key LIMIT :limit""")
# Both ends of a transfer are one movement; a count that found it changes nothing at one place.
_HISTORY = text("""
    SELECT h.*, i.code AS item, t.code AS serial, r.reversal_id AS reversed_by
    FROM (
        SELECT m.id AS movement_id, m.kind, m.item_id, m.lot_id, m.reason_code, m.reason,
               m.reference, m.actor, m.occurred_at, m.recorded_at, m.reverses,
               bool_or(m.backdated) AS backdated, min(m.seq) AS seq,
               min(l.name) FILTER (WHERE m.quantity <= 0) AS from_location,
               min(l.name) FILTER (WHERE m.quantity >= 0) AS to_location
        FROM movements m JOIN locations l ON l.id = m.location_id
        WHERE m.lot_id = ANY(CAST(:serial_ids AS uuid[]))
            AND m.lot_id <> '00000000-0000-0000-0000-000000000000'
            AND (CAST(:places AS uuid[]) IS NULL
                 OR m.location_id = ANY(CAST(:places AS uuid[])))
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ) h
    JOIN items i ON i.id = h.item_id JOIN lots t ON t.id = h.lot_id
    LEFT JOIN reversals r ON r.movement_id = h.movement_id
    WHERE CAST(:instant AS timestamptz) IS NULL
        OR (h.occurred_at, h.seq) > (CAST(:instant AS timestamptz), CAST(:seq AS bigint))
    ORDER BY h.occurred_at, h.seq LIMIT :limit""")
