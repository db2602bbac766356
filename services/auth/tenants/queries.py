from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.tenants.models import Tenant
from shared.db.database import set_tenant


async def find_tenant(session: AsyncSession, tenant_id: UUID) -> Tenant | None:
    return await session.get(Tenant, tenant_id)


async def lock_tenant(session: AsyncSession, tenant_id: UUID) -> Tenant | None:
    """Return the tenant as it is now, and so until the transaction ends."""
    query = select(Tenant).where(Tenant.id == tenant_id)
    return await session.scalar(query.with_for_update(key_share=True))


async def find_by_slug(session: AsyncSession, slug: str) -> Tenant | None:
    return await session.scalar(select(Tenant).where(Tenant.slug == slug))


async def list_tenants(
    session: AsyncSession, *, after: tuple[UUID] | None, limit: int
) -> Sequence[Tenant]:
    query = select(Tenant).order_by(Tenant.id).limit(limit)
    if after is not None:
        query = query.where(Tenant.id > after[0])
    return (await session.scalars(query)).all()


async def list_ids(session: AsyncSession) -> Sequence[UUID]:
    return (await session.scalars(select(Tenant.id).order_by(Tenant.id))).all()


async def lock_installation(session: AsyncSession) -> None:
    """Let one transaction at a time look for the default tenant and make it."""
    await session.execute(_LOCK_INSTALLATION)


@asynccontextmanager
async def inside(
    session: AsyncSession, tenant_id: UUID, back_to: UUID | None
) -> AsyncIterator[None]:
    """Let the session work for another tenant within the block."""
    await session.flush()  # What is pending takes its tenant from the setting that holds now.
    await set_tenant(session, tenant_id)
    yield
    await session.flush()  # Same, for what the block added.
    await set_tenant(session, back_to)


async def note_language_changed(session: AsyncSession, now: datetime) -> None:
    """Note that the language of the tenant's members who have set none is another one now."""
    await session.execute(_LANGUAGE_CHANGED, {"now": now})


async def end_tokens_without(session: AsyncSession, methods: Sequence[str], now: datetime) -> None:
    """End the access tokens of members who have a session begun by none of these methods."""
    await session.execute(_END_TOKENS, {"methods": list(methods), "now": now})


# Held in key order, as all who change several users hold them.
_END_TOKENS = text("""
    WITH held AS (
        SELECT id FROM users WHERE id IN (
            SELECT user_id FROM sessions
            WHERE revoked_at IS NULL AND expires_at > :now
                AND NOT methods && CAST(:methods AS text[])
        ) ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE users u SET token_version = token_version + 1, token_version_raised_at = :now,
        revision = revision + 1
    FROM held WHERE u.id = held.id""")
_LANGUAGE_CHANGED = text("UPDATE users SET language_changed_at = :now WHERE language IS NULL")
_LOCK_INSTALLATION = text("SELECT wait_lock('installation')")
