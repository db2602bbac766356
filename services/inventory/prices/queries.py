from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.prices.models import Price


async def find_amounts(session: AsyncSession, price_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """Return the sealed amounts of these prices by id."""
    if not price_ids:
        return {}
    rows = await session.execute(select(Price.id, Price.amount).where(Price.id.in_(price_ids)))
    return {row.id: row.amount for row in rows}
