from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession


async def find_active(
    session: AsyncSession, *, item_id: UUID | None, key: str
) -> RowMapping | None:
    """Return an item's code, its active model (id, model_type) and the last day it forecast.

    The item is the one with that id, or without one the one whose code has that key.

    None when there is no such item; nulls when no model of it is active.
    """
    rows = await session.execute(_ACTIVE, {"item_id": item_id, "key": key})
    return rows.mappings().one_or_none()


async def read_forecast(session: AsyncSession, model_id: UUID) -> RowMapping:
    """Return a model with its points."""
    return (await session.execute(_FORECAST, {"model_id": model_id})).mappings().one()


_ACTIVE = text("""
    SELECT i.code, m.id, m.model_type, f.last_day
    FROM items i
    LEFT JOIN models m ON m.item_id = i.id AND m.status = 'active'
    LEFT JOIN forecasts f ON f.model_id = m.id
    WHERE i.id = coalesce(CAST(:item_id AS uuid),
                          (SELECT id FROM items WHERE code_key = :key ORDER BY id LIMIT 1))""")
_FORECAST = text("""
    SELECT m.id, m.version, m.model_type, m.beats_baseline, m.train_from, m.train_to, m.created_at,
           m.accuracy, m.baseline, m.assumptions, f.points
    FROM models m JOIN forecasts f ON f.model_id = m.id WHERE m.id = :model_id""")
