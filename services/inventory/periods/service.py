"""Closing and reopening periods, and what the ledger asks of them."""

from datetime import date, datetime
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.periods import queries
from services.inventory.periods.errors import (
    PeriodCovered,
    PeriodNotFound,
    PeriodNotLast,
    PeriodNotOver,
)
from services.inventory.periods.models import Period
from services.inventory.periods.rules import is_over, open_from
from services.inventory.periods.schemas import (
    PeriodClose,
    PeriodPage,
    PeriodQuery,
    PeriodRead,
    PeriodReopen,
)
from shared import journal
from shared.contracts.inventory.periods import PeriodClosed, PeriodReopened
from shared.ids import new_id
from shared.pagination import Keyset
from shared.principal import Principal

_LATEST = Keyset("latest", str, UUID)


async def find_open_from(connection: asyncpg.Connection) -> datetime | None:
    """Return the earliest instant that a movement may have; None for any.

    It stays so until the transaction ends. Who asks holds the rows that he moves already.
    """
    last_day = await queries.hold_closed_until(connection)
    return None if last_day is None else open_from(last_day)


async def close_period(
    session: AsyncSession, wanted: PeriodClose, *, caller: Principal, now: datetime
) -> Period:
    """Close all days until the one given, once nothing that was dated in them is under way.

    Raises PeriodNotOver, PeriodCovered.
    """
    if not is_over(wanted.last_day, now):
        raise PeriodNotOver(last_day=wanted.last_day)
    await queries.lock_periods(session)
    closed_until = await queries.find_closed_until(session)
    if closed_until is not None and wanted.last_day <= closed_until:
        raise PeriodCovered(closed_until=closed_until)
    period = Period(
        id=new_id(),
        last_day=wanted.last_day,
        closed_at=now,
        closed_by=caller.actor,
        note=wanted.note,
    )
    session.add(period)
    journal.record(
        session, PeriodClosed(period_id=period.id, last_day=period.last_day, note=period.note)
    )
    return period


async def reopen_period(
    session: AsyncSession,
    period_id: UUID,
    wanted: PeriodReopen,
    *,
    caller: Principal,
    now: datetime,
) -> Period:
    """Open the latest closed period again. Raises PeriodNotFound, PeriodNotLast."""
    await queries.lock_periods(session)
    period = await queries.find_closed(session, period_id)
    if period is None:
        raise PeriodNotFound
    closed_until = await queries.find_closed_until(session)
    if closed_until is not None and closed_until > period.last_day:
        raise PeriodNotLast(closed_until=closed_until)
    period.reopened_at = max(now, period.closed_at)  # Clocks may be set back.
    period.reopened_by, period.reason = caller.actor, wanted.reason
    journal.record(
        session,
        PeriodReopened(period_id=period.id, last_day=period.last_day, reason=wanted.reason),
    )
    return period


async def list_periods(session: AsyncSession, wanted: PeriodQuery) -> PeriodPage:
    """Return one page of periods, the latest first. Raises InvalidCursor."""
    after = _LATEST.after(wanted.cursor)
    rows = await queries.list_periods(
        session,
        closed=wanted.closed,
        after=(date.fromisoformat(after[0]), after[1]) if after else None,
        limit=wanted.limit + 1,
    )
    page, next_cursor = _LATEST.page(
        rows, wanted.limit, lambda period: (period.last_day.isoformat(), period.id)
    )
    return PeriodPage(items=[to_read(period) for period in page], next_cursor=next_cursor)


def to_read(period: Period) -> PeriodRead:
    """Return the period as it is shown."""
    return PeriodRead(
        id=period.id,
        last_day=period.last_day,
        open_from=open_from(period.last_day),
        closed_at=period.closed_at,
        closed_by=period.closed_by,
        note=period.note,
        reopened_at=period.reopened_at,
        reopened_by=period.reopened_by,
        reason=period.reason,
    )
