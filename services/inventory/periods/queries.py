"""Closed periods.

One lock of each tenant: who records late holds it shared, after all rows that he moves; who closes
takes it, and no other.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.periods.models import Period


async def lock_periods(session: AsyncSession) -> None:
    """Wait until nobody records late, and let nobody do it until the transaction ends."""
    await session.execute(_LOCK)


async def hold_closed_until(connection: asyncpg.Connection) -> date | None:
    """Return the last closed day; no period is closed until the transaction ends."""
    await connection.execute(_HOLD)
    found: date | None = await connection.fetchval(_CLOSED_UNTIL)
    return found


async def find_closed_until(session: AsyncSession) -> date | None:
    """Return the last closed day."""
    found: date | None = await session.scalar(
        select(func.max(Period.last_day)).where(Period.reopened_at.is_(None))
    )
    return found


async def find_closed(session: AsyncSession, period_id: UUID) -> Period | None:
    """Return a period that is closed."""
    return await session.scalar(
        select(Period).where(Period.id == period_id, Period.reopened_at.is_(None))
    )


async def list_periods(
    session: AsyncSession,
    *,
    closed: bool | None,
    after: tuple[date, UUID] | None,
    limit: int,
) -> Sequence[Period]:
    """Return periods, the latest first."""
    query = select(Period).order_by(Period.last_day.desc(), Period.id.desc()).limit(limit)
    if closed is not None:
        query = query.where(
            Period.reopened_at.is_(None) if closed else Period.reopened_at.is_not(None)
        )
    if after is not None:
        last_day, period_id = after
        query = query.where(
            (Period.last_day < last_day) | ((Period.last_day == last_day) & (Period.id < period_id))
        )
    return (await session.scalars(query)).all()


_KEY = "current_setting('app.tenant') || ' periods'"
_LOCK = text(f"SELECT wait_lock({_KEY})")
_HOLD = f"SELECT wait_lock_shared({_KEY})"
_CLOSED_UNTIL = "SELECT max(last_day) FROM periods WHERE reopened_at IS NULL"
