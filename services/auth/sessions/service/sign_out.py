from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.sessions import queries
from services.auth.users import service as users
from shared import journal
from shared.contracts.auth.sessions import SessionRevoked
from shared.principal import Principal


async def sign_out(
    session: AsyncSession, *, everywhere: bool, caller: Principal, now: datetime
) -> None:
    """End the caller's session, or all sessions of the caller; once ended it stays so.

    Raises UserNotFound.
    """
    if everywhere:
        await users.end_sessions(session, caller.id, now=now)
        return
    user_id = await queries.revoke(session, caller.session_id, now)
    if user_id is not None:
        entry = SessionRevoked(session_id=caller.session_id, user_id=user_id, reason="logout")
        journal.record(session, entry)
