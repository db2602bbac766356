from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, Uuid, any_, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.locations.models import Location
from shared.principal import Places


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
    session: AsyncSession, *, after: tuple[str] | None, places: Places, limit: int
) -> Sequence[Location]:
    query = select(Location).order_by(Location.name).limit(limit)
    if after is not None:
        query = query.where(Location.name > after[0])
    if places is not None:
        query = query.where(Location.id == any_(literal(list(places), ARRAY(Uuid))))
    return (await session.scalars(query)).all()


async def list_within(connection: asyncpg.Connection, roots: Collection[UUID]) -> frozenset[UUID]:
    """Return the ids of these locations, as far as they are there, and of all that lies in them."""
    return frozenset(row[0] for row in await connection.fetch(_WITHIN, list(roots)))


_WITHIN = """
    WITH RECURSIVE within AS (
        SELECT id FROM locations WHERE id = ANY($1::uuid[])
        UNION
        SELECT l.id FROM locations l JOIN within w ON l.parent_id = w.id
    ) SELECT id FROM within"""
