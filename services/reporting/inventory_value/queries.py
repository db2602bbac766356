from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.inventory_value.models import SealedPosition


async def find_positions(
    connection: asyncpg.Connection, item_ids: Sequence[UUID]
) -> dict[UUID, SealedPosition]:
    rows = await connection.fetch(_POSITIONS, item_ids)
    return {row["item_id"]: SealedPosition(row["held"], row["owed"], row["amount"]) for row in rows}


async def find_costs(connection: asyncpg.Connection, cost_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """Return the sealed amounts of these unit costs, as far as they are known here."""
    rows = await connection.fetch(_COSTS, cost_ids)
    return {row["id"]: row["amount"] for row in rows}


async def save_positions(
    connection: asyncpg.Connection, positions: Mapping[UUID, SealedPosition]
) -> None:
    await connection.execute(
        _SAVE,
        list(positions),
        [position.held for position in positions.values()],
        [position.owed for position in positions.values()],
        [position.amount for position in positions.values()],
    )


async def list_items(session: AsyncSession) -> Sequence[RowMapping]:
    """Return every item in stock with its sealed value."""
    return (await session.execute(_ITEMS)).mappings().all()


async def list_levels(session: AsyncSession) -> Sequence[RowMapping]:
    """Return what lies of each item at each location."""
    return (await session.execute(_LEVELS)).mappings().all()


_POSITIONS = "SELECT item_id, held, owed, amount FROM item_values WHERE item_id = ANY($1::uuid[])"
_COSTS = "SELECT id, amount FROM unit_costs WHERE id = ANY($1::uuid[])"
_SAVE = """
    INSERT INTO item_values (item_id, held, owed, amount)
    SELECT * FROM unnest($1::uuid[], $2::numeric[], $3::numeric[], $4::bytea[])
    ON CONFLICT (tenant_id, item_id)
    DO UPDATE SET held = excluded.held, owed = excluded.owed, amount = excluded.amount
"""
_ITEMS = text("""
    SELECT v.item_id, i.code, i.name_en, i.name_fr, i.category, i.unit, v.held, v.owed, v.amount
    FROM item_values v JOIN items i ON i.id = v.item_id
    WHERE v.held > 0 AND v.owed = 0 """)
_LEVELS = text("""
    SELECT v.item_id, l.name AS location, v.on_hand
    FROM levels v JOIN locations l ON l.id = v.location_id
    WHERE v.on_hand > 0 ORDER BY l.name, v.item_id""")
