"""Freezes, and the marks that they leave on what they cover.

One lock of each tenant lets freezes take turns with all else: movements hold it shared from their
first statement on (LOCK), and so does who changes master data. Once a freeze has it, nothing is
under way; what waited for it finds the marks in the rows that it locks. For that these are taken
FOR UPDATE before they are marked: of a row that was merely updated, whoever takes it FOR KEY SHARE
by an older snapshot is given the version before.
"""

from collections.abc import Collection
from uuid import UUID

import asyncpg
from sqlalchemy import String, Uuid, column, select, table, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.freezes.models import Freeze
from services.inventory.freezes.rules import FREEZES_LOCK, FreezeScope, Notice


async def lock_freezes(session: AsyncSession) -> None:
    """Wait until nothing changes any more, and let nothing change until the transaction ends."""
    await session.execute(_LOCK)


async def hold_freezes(session: AsyncSession) -> None:
    """Let no freeze be made or lifted until the transaction ends."""
    await session.execute(_HOLD)


async def find_of_everything(session: AsyncSession) -> Freeze | None:
    """Return the freeze of everything that is in force."""
    return await session.scalar(
        select(Freeze).where(Freeze.scope == "everything", Freeze.lifted_at.is_(None))
    )


async def lock_freeze(session: AsyncSession, freeze_id: UUID) -> Freeze | None:
    """Return a freeze that is in force."""
    query = select(Freeze).where(Freeze.id == freeze_id, Freeze.lifted_at.is_(None))
    return await session.scalar(query.with_for_update())


async def find_item_id(session: AsyncSession, item_id: UUID | None, key: str | None) -> UUID | None:
    """Return the id of the item of this id, or whose code or barcode has this key."""
    found: UUID | None = await session.scalar(_ITEM_ID, {"id": item_id, "key": key})
    return found


async def find_location_id(
    session: AsyncSession, location_id: UUID | None, key: str | None
) -> UUID | None:
    """Return the id of the location of this id, or whose name has this key."""
    found: UUID | None = await session.scalar(_LOCATION_ID, {"id": location_id, "key": key})
    return found


async def mark_item(session: AsyncSession, item_id: UUID, freeze_id: UUID | None) -> None:
    """Let the item say by what it is frozen, also to whom waits with an older snapshot."""
    await session.execute(_HOLD_OFF_ITEM, {"id": item_id})
    await session.execute(_MARK_ITEM, {"id": item_id, "freeze_id": freeze_id})


async def hold_off_locations(session: AsyncSession, root: UUID | None) -> None:
    """Take a location and what lies in it, None for all: see above."""
    await session.execute(_HOLD_OFF_LOCATIONS, {"root": root})


async def mark_locations(session: AsyncSession) -> None:
    """Let each location say by what it is frozen: the oldest freeze in force that covers it."""
    await session.execute(_MARK_LOCATIONS)


async def is_any_location_frozen(session: AsyncSession) -> bool:
    """Say whether a freeze of some location is in force."""
    return bool(await session.scalar(_ANY_LOCATION))


async def find_notices(connection: asyncpg.Connection, ids: Collection[UUID]) -> dict[UUID, Notice]:
    """Return what is told of these freezes, by id."""
    rows = await connection.fetch(_NOTICES, list(ids))
    return {row[0]: Notice(FreezeScope(row[1]), *row[2:]) for row in rows}


async def list_freezes(
    session: AsyncSession,
    *,
    active: bool | None,
    before_id: UUID | None,
    limit: int,
    only: UUID | None = None,
) -> list[tuple[Freeze, str | None, str | None]]:
    """Return freezes with the item's code and the location's name, newest first."""
    query = (
        select(Freeze, _ITEMS.c.code, _LOCATIONS.c.name)
        .select_from(Freeze)
        .outerjoin(_ITEMS, _ITEMS.c.id == Freeze.item_id)
        .outerjoin(_LOCATIONS, _LOCATIONS.c.id == Freeze.location_id)
        .order_by(Freeze.id.desc())
        .limit(limit)
    )
    if only is not None:
        query = query.where(Freeze.id == only)
    if active is not None:
        query = query.where(Freeze.lifted_at.is_(None) if active else Freeze.lifted_at.is_not(None))
    if before_id is not None:
        query = query.where(Freeze.id < before_id)
    return [(row[0], row[1], row[2]) for row in await session.execute(query)]


_ITEMS = table("items", column("id", Uuid), column("code", String))
_LOCATIONS = table("locations", column("id", Uuid), column("name", String))
_LOCK = text(f"SELECT wait_lock({FREEZES_LOCK})")
_HOLD = text(f"SELECT wait_lock_shared({FREEZES_LOCK})")
_ITEM_ID = text("""
    SELECT id FROM items WHERE id = coalesce(
        CAST(:id AS uuid), (SELECT item_id FROM identifiers WHERE key = :key))""")
_LOCATION_ID = text("""
    SELECT id FROM locations WHERE id = coalesce(
        CAST(:id AS uuid), (SELECT id FROM locations WHERE name_key = :key))""")
_HOLD_OFF_ITEM = text("SELECT FROM items WHERE id = :id FOR UPDATE")
_MARK_ITEM = text("UPDATE items SET frozen_by = CAST(:freeze_id AS uuid) WHERE id = :id")
_HOLD_OFF_LOCATIONS = text("""
    WITH RECURSIVE within AS (
        SELECT id FROM locations
        WHERE CAST(:root AS uuid) IS NULL OR id = CAST(:root AS uuid)
        UNION
        SELECT l.id FROM locations l JOIN within w ON l.parent_id = w.id
    )
    SELECT FROM locations WHERE id IN (SELECT id FROM within) ORDER BY id FOR UPDATE""")
_MARK_LOCATIONS = text("""
    WITH RECURSIVE covered AS (
        SELECT l.id, f.id AS freeze_id FROM freezes f
        JOIN locations l ON f.scope = 'everything' OR l.id = f.location_id
        WHERE f.lifted_at IS NULL
        UNION
        SELECT l.id, c.freeze_id FROM locations l JOIN covered c ON l.parent_id = c.id
    ), oldest AS (
        SELECT DISTINCT ON (id) id, freeze_id FROM covered ORDER BY id, freeze_id
    )
    UPDATE locations l SET frozen_by = o.freeze_id
    FROM locations m LEFT JOIN oldest o USING (id)
    WHERE m.id = l.id AND l.frozen_by IS DISTINCT FROM o.freeze_id""")
_ANY_LOCATION = text("""
    SELECT EXISTS (SELECT FROM freezes WHERE scope = 'location' AND lifted_at IS NULL)""")
_NOTICES = """
    SELECT f.id, f.scope, f.reason, f.frozen_at, i.code, f.item_id, l.name, f.location_id
    FROM freezes f
    LEFT JOIN items i ON i.id = f.item_id
    LEFT JOIN locations l ON l.id = f.location_id
    WHERE f.id = ANY($1::uuid[])"""
