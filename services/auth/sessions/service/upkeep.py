"""What the worker does about sessions, for all tenants."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.sessions import metrics, queries
from services.auth.sessions.rules import ENDED_SESSIONS_KEPT
from services.auth.throttle.rules import FORGOTTEN_AFTER
from shared import journal
from shared.contracts.auth.sessions import AllSessionsEnded


async def forget_ended(session: AsyncSession, *, now: datetime) -> int:
    """Forget what no decision needs any more, for all features; return how many rows."""
    return await queries.forget_ended(session, now - ENDED_SESSIONS_KEPT, now - FORGOTTEN_AFTER)


async def end_everywhere(session: AsyncSession, *, kid: str, now: datetime) -> int:
    """End all sessions of all tenants, and the links that were mailed; return how many sessions.

    `kid` is the key that signs from now on.
    """
    ended = await queries.end_everywhere(session, now)
    journal.record(session, AllSessionsEnded(kid=kid, sessions=ended))
    return ended


async def measure_active(session: AsyncSession, *, now: datetime) -> None:
    """Set the gauges of accounts and sessions that are in use."""
    active = await queries.count_active(session, now)
    metrics.users_active.set(active.users)
    metrics.sessions_active.set(active.sessions)
