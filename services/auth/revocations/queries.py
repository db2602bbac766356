from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def list_revoked_sessions(session: AsyncSession, since: datetime) -> list[str]:
    rows = await session.scalars(_SESSIONS, {"since": since})
    return [str(session_id) for session_id in rows]


async def list_raised_versions(session: AsyncSession, since: datetime) -> dict[str, int]:
    rows = await session.execute(_VERSIONS, {"since": since})
    return {str(row.user_id): row.version for row in rows}


async def list_changed_languages(session: AsyncSession, since: datetime) -> dict[str, str]:
    rows = await session.execute(_LANGUAGES, {"since": since})
    return {str(row.user_id): row.language for row in rows}


_SESSIONS = text("SELECT session_id FROM revoked_sessions(:since)")
_VERSIONS = text("SELECT user_id, version FROM raised_versions(:since)")
_LANGUAGES = text("SELECT user_id, language FROM changed_languages(:since)")
