"""Openings: what months came to that left the ledger. The database writes them as it detaches."""

from collections.abc import Sequence
from datetime import date, datetime

import asyncpg
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.openings.rules import SINCE


async def find_since(session: AsyncSession) -> datetime | None:
    """Return from when on the tenant's ledger can be asked; None where nothing has left it."""
    found: datetime | None = await session.scalar(_SINCE)
    return found


async def find_since_of(connection: asyncpg.Connection) -> datetime | None:
    """Return the same by a connection of the driver."""
    found: datetime | None = await connection.fetchval(SINCE)
    return found


async def list_months(session: AsyncSession) -> Sequence[date]:
    """Return the months that are in the ledger, of all tenants, the oldest first."""
    return (await session.scalars(_MONTHS)).all()


async def list_archives(session: AsyncSession) -> Sequence[RowMapping]:
    """Return the months that have left the ledger and whose tables are still there."""
    return (await session.execute(_ARCHIVES)).mappings().all()


async def sum_month(session: AsyncSession, month: date) -> Sequence[RowMapping]:
    """Return what a month in the ledger comes to, for each tenant."""
    return (await session.execute(_SUM, {"month": month})).mappings().all()


async def find_need(session: AsyncSession, month: date) -> str | None:
    """Return why a month must stay in the ledger, in one line."""
    found: str | None = await session.scalar(_NEED, {"month": month})
    return found


async def detach_month(session: AsyncSession, month: date) -> None:
    """Write the openings of a month, which must have been journaled, and detach its table."""
    await session.execute(_DETACH, {"month": month})


async def drop_month(session: AsyncSession, month: date) -> None:
    await session.execute(_DROP, {"month": month})


_SINCE = text(SINCE)
_MONTHS = text("""
    SELECT to_date(c.relname, '"movements_"YYYY_MM')
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass('movements') AND c.relname ~ '^movements_[0-9]{4}_[0-9]{2}$'
    ORDER BY 1""")
_ARCHIVES = text("""
    SELECT month, movements, tenants, first_at, detached_at FROM ledger_archives
    WHERE dropped_at IS NULL ORDER BY month""")
_SUM = text("""
    SELECT tenant_id, movements, levels, first_at, since, digest FROM sum_ledger_month(:month)""")
_NEED = text("SELECT why_ledger_stays(:month)")
_DETACH = text("SELECT detach_ledger_month(:month)")
_DROP = text("SELECT drop_ledger_month(:month)")
