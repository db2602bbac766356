from collections.abc import Collection, Sequence
from decimal import Decimal
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, Uuid, any_, literal, select, text
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


async def hold_location(session: AsyncSession, location_id: UUID) -> Location | None:
    """Return the location, which is neither retired nor removed until the transaction ends."""
    query = select(Location).where(Location.id == location_id)
    held = query.with_for_update(read=True, key_share=True)
    return await session.scalar(held.execution_options(populate_existing=True))


async def holds_anything(session: AsyncSession, location_id: UUID) -> bool:
    """Say whether stock lies there or is on its way there, or a location in use lies in it."""
    return bool(await session.scalar(_HOLDS_ANYTHING, {"id": location_id}))


async def was_used(session: AsyncSession, location_id: UUID) -> bool:
    """Say whether stock was ever there, sent, counted or frozen, or a location lies in it."""
    return bool(await session.scalar(_WAS_USED, {"id": location_id}))


async def sum_stock(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Decimal]:
    """Return what lies in each of these locations and in all that lies in them, where any does."""
    rows = await session.execute(_SUM_STOCK, {"ids": list(ids)})
    return {row.root: row.on_hand for row in rows}


async def list_locations(
    session: AsyncSession,
    *,
    active: bool | None,
    after: tuple[str] | None,
    places: Places,
    limit: int,
) -> Sequence[Location]:
    query = select(Location).order_by(Location.name).limit(limit)
    if active is not None:
        query = query.where(Location.active == active)
    if after is not None:
        query = query.where(Location.name > after[0])
    if places is not None:
        query = query.where(Location.id == any_(literal(list(places), ARRAY(Uuid))))
    return (await session.scalars(query)).all()


async def list_within(connection: asyncpg.Connection, roots: Collection[UUID]) -> frozenset[UUID]:
    """Return the ids of these locations, as far as they are there, and of all that lies in them."""
    return frozenset(row[0] for row in await connection.fetch(_WITHIN, list(roots)))


_HOLDS_ANYTHING = text("""
    SELECT EXISTS (SELECT FROM levels WHERE location_id = :id AND on_hand > 0)
        OR EXISTS (SELECT FROM locations WHERE parent_id = :id AND active)
        OR EXISTS (SELECT FROM transfers WHERE to_id = :id AND received IS NULL)""")
_WAS_USED = text("""
    SELECT EXISTS (SELECT FROM levels WHERE location_id = :id)
        OR EXISTS (SELECT FROM freezes WHERE location_id = :id)
        OR EXISTS (SELECT FROM transfers WHERE :id IN (from_id, to_id))
        OR EXISTS (SELECT FROM count_lines WHERE location_id = :id)
        OR EXISTS (SELECT FROM locations WHERE parent_id = :id)""")
_SUM_STOCK = text("""
    WITH RECURSIVE within AS (
        SELECT id AS root, id FROM unnest(CAST(:ids AS uuid[])) AS asked(id)
        UNION ALL
        SELECT w.root, l.id FROM locations l JOIN within w ON l.parent_id = w.id
    )
    SELECT w.root, sum(v.on_hand) AS on_hand
    FROM within w JOIN levels v ON v.location_id = w.id AND v.on_hand > 0 GROUP BY 1""")
_WITHIN = """
    WITH RECURSIVE within AS (
        SELECT id FROM locations WHERE id = ANY($1::uuid[])
        UNION
        SELECT l.id FROM locations l JOIN within w ON l.parent_id = w.id
    ) SELECT id FROM within"""
