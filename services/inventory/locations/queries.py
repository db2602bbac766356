from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.locations.models import Location


async def find_location(
    session: AsyncSession, location_id: UUID, *, lock: bool = False
) -> Location | None:
    """Return the location; with `lock`, nobody else changes it until the transaction ends."""
    query = select(Location).where(Location.id == location_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def find_by_name(session: AsyncSession, name: str) -> Location | None:
    return await session.scalar(select(Location).where(Location.name == name))


async def list_locations(
    session: AsyncSession, *, after_name: str | None, limit: int
) -> Sequence[Location]:
    query = select(Location).order_by(Location.name).limit(limit)
    if after_name is not None:
        query = query.where(Location.name > after_name)
    return (await session.scalars(query)).all()
