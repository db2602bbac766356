from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.locations.models import Location


async def find_location(session: AsyncSession, location_id: UUID) -> Location | None:
    return await session.get(Location, location_id)


async def find_location_by_key(session: AsyncSession, name_key: str) -> Location | None:
    return await session.scalar(select(Location).where(Location.name_key == name_key))


async def lock_location(
    session: AsyncSession, location_id: UUID, *, against_movements: bool = False
) -> Location | None:
    """Return the location, which nobody else changes until the transaction ends.

    Movements hold its row FOR KEY SHARE, and so does whoever puts a location into it: they go on
    beside an ordinary edit, but not beside a removal.
    """
    query = select(Location).where(Location.id == location_id)
    return await session.scalar(query.with_for_update(key_share=not against_movements))


async def list_locations(
    session: AsyncSession, *, after: tuple[str] | None, limit: int
) -> Sequence[Location]:
    query = select(Location).order_by(Location.name).limit(limit)
    if after is not None:
        query = query.where(Location.name > after[0])
    return (await session.scalars(query)).all()
