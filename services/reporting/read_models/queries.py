from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.read_models.rules import LotChange, UnitCost
from shared.contracts.inventory.items import ItemSaved
from shared.contracts.inventory.locations import LocationSaved


async def save_tenant(connection: asyncpg.Connection, currency: str | None) -> None:
    """Note that the session's tenant exists, and its currency once that is known."""
    await connection.execute(_SAVE_TENANT, currency)


async def save_items(connection: asyncpg.Connection, items: Sequence[ItemSaved]) -> None:
    columns = [[getattr(item, name) for item in items] for name in _ITEM_COLUMNS]
    await connection.execute(_SAVE_ITEMS, *columns)


async def save_locations(
    connection: asyncpg.Connection, locations: Sequence[LocationSaved]
) -> None:
    await connection.execute(
        _SAVE_LOCATIONS,
        [location.location_id for location in locations],
        [location.location_name for location in locations],
        [location.type for location in locations],
    )


async def remove_locations(connection: asyncpg.Connection, ids: Sequence[UUID]) -> None:
    await connection.execute(_REMOVE_LOCATIONS, ids)


async def add_costs(connection: asyncpg.Connection, costs: Mapping[UUID, UnitCost]) -> None:
    await connection.execute(
        _ADD_COSTS,
        list(costs),
        [cost.item_id for cost in costs.values()],
        [cost.sealed for cost in costs.values()],
    )


async def move_levels(
    connection: asyncpg.Connection, changes: Mapping[tuple[UUID, UUID], Decimal]
) -> None:
    await connection.execute(
        _MOVE_LEVELS,
        [item for item, _ in changes],
        [location for _, location in changes],
        list(changes.values()),
    )


async def change_lots(connection: asyncpg.Connection, changes: Mapping[UUID, LotChange]) -> None:
    await connection.execute(
        _CHANGE_LOTS,
        list(changes),
        [change.item_id for change in changes.values()],
        [change.expires_on for change in changes.values()],
        [change.quantity for change in changes.values()],
    )


async def count_days(connection: asyncpg.Connection, days: Mapping[tuple[date, str], int]) -> None:
    await connection.execute(
        _COUNT_DAYS, [day for day, _ in days], [kind for _, kind in days], list(days.values())
    )


async def find_currency(session: AsyncSession) -> str | None:
    """Return the currency of the session's tenant, if auth's journal told it."""
    currency: str | None = await session.scalar(_CURRENCY)
    return currency


async def list_stock(session: AsyncSession) -> Sequence[RowMapping]:
    """Return what lies of each item at each location, where anything does."""
    return (await session.execute(_STOCK)).mappings().all()


async def list_tenants(session: AsyncSession) -> Sequence[UUID]:
    """Return every tenant that has read models here."""
    return (await session.scalars(_TENANTS)).all()


_ITEM_COLUMNS = (
    "item_id", "code", "name_en", "name_fr", "category", "unit", "pack_size", "par_level",
    "reorder_point", "reorder_quantity", "lead_time_days", "active",
)  # fmt: skip

_SAVE_TENANT = """
    INSERT INTO tenants (currency) VALUES ($1)
    ON CONFLICT (tenant_id) DO UPDATE SET currency = excluded.currency
    WHERE excluded.currency IS NOT NULL AND tenants.currency IS DISTINCT FROM excluded.currency
"""
_SAVE_ITEMS = """
    INSERT INTO items (id, code, name_en, name_fr, category, unit, pack_size, par_level,
                       reorder_point, reorder_quantity, lead_time_days, active)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                         $7::numeric[], $8::numeric[], $9::numeric[], $10::numeric[], $11::int[],
                         $12::bool[])
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        code = excluded.code, name_en = excluded.name_en, name_fr = excluded.name_fr,
        category = excluded.category, unit = excluded.unit, pack_size = excluded.pack_size,
        par_level = excluded.par_level, reorder_point = excluded.reorder_point,
        reorder_quantity = excluded.reorder_quantity, lead_time_days = excluded.lead_time_days,
        active = excluded.active
"""
_SAVE_LOCATIONS = """
    INSERT INTO locations (id, name, type) SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])
    ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, type = excluded.type
"""
_REMOVE_LOCATIONS = "DELETE FROM locations WHERE id = ANY($1::uuid[])"
_ADD_COSTS = """
    INSERT INTO unit_costs (id, item_id, amount)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) ON CONFLICT DO NOTHING
"""
_MOVE_LEVELS = """
    INSERT INTO levels (item_id, location_id, on_hand)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::numeric[])
    ON CONFLICT (tenant_id, item_id, location_id)
    DO UPDATE SET on_hand = levels.on_hand + excluded.on_hand
"""
_CHANGE_LOTS = """
    INSERT INTO lots (id, item_id, expires_on, on_hand)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::date[], $4::numeric[])
    ON CONFLICT (tenant_id, id) DO UPDATE
    SET expires_on = excluded.expires_on, on_hand = lots.on_hand + excluded.on_hand
"""
_COUNT_DAYS = """
    INSERT INTO movement_days (day, kind, movements)
    SELECT * FROM unnest($1::date[], $2::text[], $3::bigint[])
    ON CONFLICT (tenant_id, day, kind)
    DO UPDATE SET movements = movement_days.movements + excluded.movements
"""
_CURRENCY = text("SELECT currency FROM tenants")
_TENANTS = text("SELECT * FROM list_tenants()")
_STOCK = text("SELECT item_id, location_id, on_hand FROM levels WHERE on_hand <> 0")
