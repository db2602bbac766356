from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import any_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.sessions.models import UserSession


class Active(NamedTuple):
    users: int
    sessions: int


async def find_session(session: AsyncSession, session_id: UUID) -> UserSession | None:
    query = select(UserSession).where(UserSession.id == session_id)
    return await session.scalar(query.execution_options(populate_existing=True))


async def list_active_sessions(
    session: AsyncSession, user_id: UUID, now: datetime, *, limit: int
) -> Sequence[UserSession]:
    """Return the user's sessions that go on, the last used first."""
    query = (
        select(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > now,
        )
        .order_by(UserSession.refreshed_at.desc(), UserSession.id)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def revoke_others(
    session: AsyncSession, user_id: UUID, kept_id: UUID, now: datetime
) -> Sequence[UUID]:
    """Revoke all sessions of the user but one, and return their ids."""
    statement = (
        update(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.id != kept_id,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > now,
        )
        .values(revoked_at=now)
        .returning(UserSession.id)
    )
    return (await session.scalars(statement)).all()


async def revoke_begun_by(
    session: AsyncSession, method: str, now: datetime
) -> Sequence[tuple[UUID, UUID]]:
    """Revoke all sessions of the tenant that this method began; return (id, user) of each."""
    statement = (
        update(UserSession)
        .where(
            any_(UserSession.methods) == method,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > now,
        )
        .values(revoked_at=now)
        .returning(UserSession.id, UserSession.user_id)
    )
    return [(row.id, row.user_id) for row in await session.execute(statement)]


async def rotate(
    session: AsyncSession, session_id: UUID, counter: int, now: datetime
) -> UserSession | None:
    """Step the session's counter on if it stands at `counter` and the session goes on.

    One conditional statement: of any number of requests with one token a single one rotates.
    """
    statement = (
        update(UserSession)
        .where(
            UserSession.id == session_id,
            UserSession.counter == counter,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > now,
        )
        .values(counter=counter + 1, refreshed_at=now)
        .returning(UserSession)
    )
    return await session.scalar(statement)


async def revoke(
    session: AsyncSession, session_id: UUID, now: datetime, *, user_id: UUID | None = None
) -> UUID | None:
    """Revoke the session and return its user's id, or None when it was over already.

    With `user_id`, only if it is that user's.
    """
    statement = (
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(UserSession.user_id)
    )
    if user_id is not None:
        statement = statement.where(UserSession.user_id == user_id)
    return await session.scalar(statement)


async def end_everywhere(session: AsyncSession, now: datetime) -> int:
    """End the sessions of all tenants, and what was mailed and begun; return how many."""
    ended: int | None = await session.scalar(_END_EVERYWHERE, {"now": now})
    return ended or 0


async def forget_ended(
    session: AsyncSession, ended_before: datetime, attempts_before: datetime
) -> int:
    """Delete what of all tenants ended before these moments.

    Sessions, tokens that were mailed, challenges, recoveries, sign-ins by providers; and attempts.
    """
    forgotten = await session.scalar(
        _FORGET_ENDED, {"ended_before": ended_before, "attempts_before": attempts_before}
    )
    return int(forgotten)


async def count_active(session: AsyncSession, at: datetime) -> Active:
    """Count the accounts and sessions of all tenants."""
    return Active(*(await session.execute(_COUNT_ACTIVE, {"at": at})).one())


_END_EVERYWHERE = text("SELECT end_all_sessions(:now)")
_FORGET_ENDED = text("SELECT forget_ended(:ended_before, :attempts_before)")
_COUNT_ACTIVE = text("SELECT users, sessions FROM count_active(:at)")
