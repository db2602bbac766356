"""The sessions of one user: listed, and ended one by one or all but the present one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.sessions import queries
from services.auth.sessions.errors import SessionNotFound
from services.auth.sessions.rules import SESSIONS_LISTED_MAX
from services.auth.sessions.schemas import SessionRead, SessionsRead
from services.auth.sessions.service.device import open_device
from services.auth.users import service as users
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.sessions import RevocationReason, SessionRevoked
from shared.principal import Principal


async def list_sessions(
    session: AsyncSession, *, vault: Vault, caller: Principal, now: datetime
) -> SessionsRead:
    """Return the caller's sessions that go on, the last used first. Raises UserNotFound."""
    user = await users.get_user(session, caller.id)
    found = await queries.list_active_sessions(session, user.id, now, limit=SESSIONS_LISTED_MAX)
    return SessionsRead(
        items=[
            SessionRead(
                id=one.id,
                current=one.id == caller.session_id,
                **open_device(one, vault=vault)._asdict(),
                methods=one.methods,
                started_at=one.started_at,
                last_seen_at=one.refreshed_at,
                expires_at=one.expires_at,
            )
            for one in found
            if not users.has_ended_session(user, one.started_at)
        ]
    )


async def revoke_session(
    session: AsyncSession, session_id: UUID, *, caller: Principal, now: datetime
) -> None:
    """End one session of the caller's; its tokens are refused at once. Raises SessionNotFound."""
    if await queries.revoke(session, session_id, now, user_id=caller.id) is None:
        raise SessionNotFound
    _record(session, session_id, caller.id, "revoked")


async def revoke_other_sessions(
    session: AsyncSession,
    user_id: UUID,
    kept_id: UUID,
    *,
    reason: RevocationReason,
    now: datetime,
) -> None:
    """End all sessions of a user but one; their tokens are refused at once."""
    for session_id in await queries.revoke_others(session, user_id, kept_id, now):
        _record(session, session_id, user_id, reason)


async def revoke_sessions_begun_by(
    session: AsyncSession, method: str, *, reason: RevocationReason, now: datetime
) -> None:
    """End all sessions of the tenant that this method began; their tokens are refused at once."""
    for session_id, user_id in await queries.revoke_begun_by(session, method, now):
        _record(session, session_id, user_id, reason)


def _record(
    session: AsyncSession, session_id: UUID, user_id: UUID, reason: RevocationReason
) -> None:
    journal.record(session, SessionRevoked(session_id=session_id, user_id=user_id, reason=reason))
