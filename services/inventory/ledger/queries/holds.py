"""What is reserved at a level, beside what lies there: written and given back under its lock.

The rows of `reservation_holds` at a level are changed only by who holds the level's lock, so that
neither needs a lock of its own and no two of them can wait for each other.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal

import asyncpg

from services.inventory.ledger.rules import NO_LOT, Balance, Level


async def write_reserved(connection: asyncpg.Connection, levels: Mapping[Level, Balance]) -> None:
    """Write what is reserved at the levels, and until when. They must be locked."""
    reserved = [balance.reserved for balance in levels.values()]
    holds_until = [balance.holds_until for balance in levels.values()]
    columns = zip(*levels, strict=True)
    await connection.execute(_WRITE_RESERVED, *columns, reserved, holds_until)


async def expire_holds(
    connection: asyncpg.Connection, levels: Collection[Level], now: datetime
) -> dict[Level, tuple[Decimal, datetime | None]]:
    """Give back what was held at the levels until now or before; they must be locked.

    Returns what is still reserved at each, and when the first of it may expire. Each reservation
    that lost something has its journal entry.
    """
    rows = await connection.fetch(_EXPIRE, *zip(*levels, strict=True), now, NO_LOT)
    return {(row[0], row[1], row[2]): (row[3], row[4]) for row in rows}


_WRITE_RESERVED = """
UPDATE levels v SET reserved = w.reserved, holds_until = w.holds_until
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::numeric[], $5::timestamptz[])
     AS w(item_id, location_id, lot_id, reserved, holds_until)
WHERE v.item_id = w.item_id AND v.location_id = w.location_id AND v.lot_id = w.lot_id
"""

_EXPIRE = """
WITH wanted AS (
    SELECT item_id, location_id, lot_id
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS w(item_id, location_id, lot_id)
), due AS (
    UPDATE reservation_holds h SET held = 0, expired = h.held
    FROM wanted w
    WHERE h.item_id = w.item_id AND h.location_id = w.location_id AND h.lot_id = w.lot_id
        AND h.held > 0 AND h.expires_at <= $4
    RETURNING h.reservation_id, h.item_id, h.location_id, h.lot_id, h.expired
), journaled AS (
    INSERT INTO journal (id, recorded_at, actor, request_id, type, subject, data)
    SELECT gen_random_uuid(), $4, 'system', '', 'inventory.reservation-expired.v1',
           'reservation:' || reservation_id,
           json_build_object('reservation_id', reservation_id, 'lines', json_agg(
               json_build_object('item_id', item_id, 'location_id', location_id,
                                 'lot_id', nullif(lot_id, $5),
                                 'quantity', trim_scale(expired)::text)))
    FROM due GROUP BY reservation_id
)
UPDATE levels v SET reserved = v.reserved - coalesce((
        SELECT sum(d.expired) FROM due d
        WHERE d.item_id = v.item_id AND d.location_id = v.location_id AND d.lot_id = v.lot_id), 0),
    holds_until = (
        SELECT min(h.expires_at) FROM reservation_holds h
        WHERE h.item_id = v.item_id AND h.location_id = v.location_id AND h.lot_id = v.lot_id
            AND h.held > 0 AND h.expires_at > $4)
FROM wanted w
WHERE v.item_id = w.item_id AND v.location_id = w.location_id AND v.lot_id = w.lot_id
RETURNING v.item_id, v.location_id, v.lot_id, v.reserved, v.holds_until
"""
