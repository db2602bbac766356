from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession


async def list_uses(session: AsyncSession, now: datetime) -> Mapping[UUID, RowMapping]:
    """Return factors, sessions and the last use of each user of the tenant, by id."""
    rows = (await session.execute(_USES, {"now": now})).mappings().all()
    return {row["id"]: row for row in rows}


async def list_grants(session: AsyncSession) -> Mapping[str, RowMapping]:
    """Return who gave each user the role that he has, and when, by the journal's subject."""
    rows = (await session.execute(_GRANTS)).mappings().all()
    return {row["subject"]: row for row in rows}


async def list_sign_ins(session: AsyncSession) -> Mapping[str, datetime]:
    """Return when each user last signed in, as far back as the journal goes, by its subject."""
    rows = await session.execute(_SIGN_INS)
    return {row.subject: row.at for row in rows}


async def list_keys(session: AsyncSession, now: datetime) -> Sequence[RowMapping]:
    """Return the API keys of the tenant that still work."""
    return (await session.execute(_KEYS, {"now": now})).mappings().all()


async def list_directories(session: AsyncSession) -> Mapping[str, int]:
    """Return by what else than our own sign-in people come in, and how many do."""
    return dict((await session.execute(_DIRECTORIES)).mappings().one())


_USES = text("""
    SELECT u.id,
           EXISTS (
               SELECT FROM authenticators a
               WHERE a.user_id = u.id AND a.confirmed_at IS NOT NULL
           ) AS authenticator,
           (SELECT count(*) FROM passkeys p WHERE p.user_id = u.id) AS passkeys,
           (SELECT max(refreshed_at) FROM sessions s WHERE s.user_id = u.id) AS refreshed_at,
           (SELECT count(*) FROM sessions s
            WHERE s.user_id = u.id AND s.revoked_at IS NULL AND s.expires_at > :now
              AND s.started_at >= coalesce(u.sessions_ended_at, '-infinity')) AS sessions
    FROM users u""")
_GRANTS = text("""
    SELECT DISTINCT ON (subject) subject, actor, recorded_at, type FROM journal
    WHERE type IN ('auth.user-registered.v1', 'auth.user-invited.v1', 'auth.user-role-changed.v1')
    ORDER BY subject, seq DESC""")
_SIGN_INS = text("""
    SELECT subject, max(recorded_at) AS at FROM journal
    WHERE type = 'auth.user-signed-in.v1' GROUP BY subject""")
_KEYS = text("""
    SELECT id, user_id, name, scopes, created_at, expires_at, last_used_at FROM api_keys
    WHERE revoked_at IS NULL AND expires_at > :now ORDER BY user_id, id""")
_DIRECTORIES = text("""
    SELECT (SELECT count(*) FROM identity_providers) AS identity_providers,
           (SELECT count(*) FROM identity_links) AS linked_users,
           (SELECT count(*) FROM provisioned_users) AS provisioned_users""")
