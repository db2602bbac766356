from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.prices.models import Price


async def find_amounts(session: AsyncSession, price_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """Return the sealed amounts of these prices by id."""
    if not price_ids:
        return {}
    rows = await session.execute(select(Price.id, Price.amount).where(Price.id.in_(price_ids)))
    return {row.id: row.amount for row in rows}


async def find_latest_costs(
    session: AsyncSession, item_ids: Sequence[UUID]
) -> dict[UUID, tuple[UUID, bytes]]:
    """Return the latest cost of each of the items that has one: its row and sealed amount."""
    if not item_ids:
        return {}
    rows = await session.execute(_LATEST_COSTS, {"item_ids": item_ids})
    return {row.item_id: (row.id, row.amount) for row in rows}


_LATEST_COSTS = text("""
    SELECT w.item_id, p.id, p.amount
    FROM unnest(CAST(:item_ids AS uuid[])) AS w(item_id)
    CROSS JOIN LATERAL (
        SELECT id, amount FROM prices WHERE item_id = w.item_id AND kind = 'cost'
        ORDER BY recorded_at DESC LIMIT 1
    ) p""")
