"""Keeping the read models: what a run of journal entries means for them."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.read_models import queries
from services.reporting.read_models.rules import fold
from shared.contracts.auth.tenants import TenantCreated
from shared.db import driver_connection
from shared.journal import Entry
from shared.money import plain


async def apply_inventory(session: AsyncSession, entries: Sequence[Entry]) -> None:
    """Apply one tenant's entries of inventory, in their order: catalogue, costs and stock."""
    changes = fold(entries)
    connection: asyncpg.Connection = await driver_connection(session)
    await queries.save_tenant(connection, None)
    if changes.items:
        await queries.save_items(connection, list(changes.items.values()))
    if changes.locations:
        await queries.save_locations(connection, list(changes.locations.values()))
    if changes.removed_locations:
        await queries.remove_locations(connection, list(changes.removed_locations))
    if changes.costs:
        await queries.add_costs(connection, changes.costs)
    if changes.levels:
        await queries.move_levels(connection, changes.levels)
    if changes.lots:
        await queries.change_lots(connection, changes.lots)
    if changes.days:
        await queries.count_days(connection, changes.days)


async def apply_auth(session: AsyncSession, entries: Sequence[Entry]) -> None:
    """Apply one tenant's entries of auth: only its currency matters here."""
    created = [entry for entry in entries if isinstance(entry, TenantCreated)]
    if created:
        await queries.save_tenant(await driver_connection(session), created[-1].currency)


async def find_currency(session: AsyncSession) -> str | None:
    """Return the currency of the session's tenant, if auth's journal told it."""
    return await queries.find_currency(session)


async def list_stock(session: AsyncSession) -> dict[str, str]:
    """Return what lies of each item at each location of the session's tenant, by both ids."""
    rows = await queries.list_stock(session)
    return {f"{row['item_id']} {row['location_id']}": plain(row["on_hand"]) for row in rows}


async def list_tenants(session: AsyncSession) -> Sequence[UUID]:
    """Return every tenant that has read models here."""
    return await queries.list_tenants(session)
