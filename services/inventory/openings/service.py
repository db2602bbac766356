"""From when on the ledger can be asked, and how a month leaves it."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.openings import queries
from services.inventory.openings.errors import MovementsArchived
from shared import journal
from shared.contracts.inventory.openings import OpeningRecorded
from shared.db.database import set_tenant

ACTOR = "worker"
_OURS = 7


async def find_kept_from(session: AsyncSession) -> datetime | None:
    """Return from when on the tenant's ledger can be asked; None where nothing has left it."""
    return await queries.find_since(session)


async def find_kept_from_of(connection: asyncpg.Connection) -> datetime | None:
    """Return the same by a connection of the driver."""
    return await queries.find_since_of(connection)


async def require_kept(session: AsyncSession, *instants: datetime | None) -> None:
    """Raise MovementsArchived where the ledger begins after one of these."""
    kept_from = await queries.find_since(session)
    if kept_from is not None and any(at is not None and at < kept_from for at in instants):
        raise MovementsArchived(kept_from=kept_from)


async def require_kept_id(session: AsyncSession, movement_id: UUID) -> None:
    """Raise MovementsArchived where a movement that is not found may have left the ledger.

    An id of ours says when it was made, in the milliseconds that it begins with (UUID version 7).
    """
    kept_from = await queries.find_since(session)
    if kept_from is None or movement_id.version != _OURS:
        return
    if movement_id.int >> 80 < kept_from.timestamp() * 1000:
        raise MovementsArchived(kept_from=kept_from)


async def list_months(session: AsyncSession) -> Sequence[date]:
    """Return the months that are in the ledger, of all tenants, the oldest first."""
    return await queries.list_months(session)


async def list_archives(session: AsyncSession) -> Sequence[RowMapping]:
    """Return the months that have left the ledger and whose tables are still there."""
    return await queries.list_archives(session)


async def sum_month(session: AsyncSession, month: date) -> Sequence[RowMapping]:
    """Return what a month in the ledger comes to, for each tenant."""
    return await queries.sum_month(session, month)


async def find_need(session: AsyncSession, month: date) -> str | None:
    """Return why a month must stay in the ledger, in one line."""
    return await queries.find_need(session, month)


async def detach_month(session: AsyncSession, month: date) -> None:
    """Journal what a month comes to, tenant by tenant, and detach it, with openings in its place.

    All of it in the session's transaction, which was opened for no tenant. The database proves
    that openings, entries and rows are the same.
    """
    for each in await queries.sum_month(session, month):
        await set_tenant(session, each["tenant_id"])
        entry = OpeningRecorded(
            month=month,
            movements=each["movements"],
            levels=each["levels"],
            since=each["since"],
            digest=each["digest"],
        )
        await journal.record_many(session, [entry])
    await queries.detach_month(session, month)


async def drop_month(session: AsyncSession, month: date) -> None:
    """Drop the table of a month that left the ledger a while ago."""
    await queries.drop_month(session, month)
