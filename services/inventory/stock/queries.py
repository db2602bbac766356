from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession


async def look_up(connection: asyncpg.Connection, code: str) -> list[asyncpg.Record]:
    """Return the item with this code or barcode, a row for each place it lies (or one without)."""
    rows: list[asyncpg.Record] = await connection.fetch(_LOOK_UP, code)
    return rows


async def stock_as_of(
    session: AsyncSession, item_id: UUID, as_of: datetime
) -> Sequence[RowMapping]:
    """Return what lay of an item at each location at that moment, from the ledger.

    Counts what had happened by then, whenever it was recorded.
    """
    rows = await session.execute(_AS_OF, {"item_id": item_id, "as_of": as_of})
    return rows.mappings().all()


async def list_at_location(
    session: AsyncSession, location_id: UUID, *, after_code: str | None, limit: int
) -> Sequence[RowMapping]:
    """Return what lies at a location, in the order of the items' codes."""
    parameters = {"location_id": location_id, "after_code": after_code or "", "limit": limit}
    return (await session.execute(_AT_LOCATION, parameters)).mappings().all()


_LOOK_UP = """
    SELECT i.id, i.code, i.name_en, i.name_fr, i.category, i.unit, i.active,
           l.name AS location, v.location_id, v.on_hand, v.reserved
    FROM items i
    LEFT JOIN levels v ON v.item_id = i.id AND v.on_hand > 0
    LEFT JOIN locations l ON l.id = v.location_id
    WHERE i.id = coalesce((SELECT id FROM items WHERE code = $1),
                          (SELECT item_id FROM barcodes WHERE barcode = $1))
    ORDER BY l.name
"""
_AS_OF = text("""
    SELECT l.name AS location, m.location_id, sum(m.quantity) AS on_hand
    FROM movements m JOIN locations l ON l.id = m.location_id
    WHERE m.item_id = :item_id AND m.occurred_at <= :as_of
    GROUP BY l.name, m.location_id HAVING sum(m.quantity) <> 0 ORDER BY l.name""")
_AT_LOCATION = text("""
    SELECT i.id AS item_id, i.code, i.name_en, i.name_fr, i.unit, v.on_hand, v.reserved,
           v.on_hand - v.reserved AS available
    FROM levels v JOIN items i ON i.id = v.item_id
    WHERE v.location_id = :location_id AND v.on_hand > 0 AND i.code > :after_code
    ORDER BY i.code LIMIT :limit""")
