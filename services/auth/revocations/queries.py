from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def revoked_sessions(session: AsyncSession, since: datetime) -> list[str]:
    rows = await session.scalars(_SESSIONS, {"since": since})
    return [str(session_id) for session_id in rows]


async def raised_versions(session: AsyncSession, since: datetime) -> dict[str, int]:
    rows = await session.execute(_VERSIONS, {"since": since})
    return {str(row.user_id): row.version for row in rows}


_SESSIONS = text("SELECT session_id FROM revoked_sessions(:since)")
_VERSIONS = text("SELECT user_id, version FROM raised_versions(:since)")
