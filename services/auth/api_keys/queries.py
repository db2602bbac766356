from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.api_keys.models import ApiKey


async def list_keys(session: AsyncSession, user_id: UUID, now: datetime) -> Sequence[ApiKey]:
    """Return the user's keys that still work, the newest first."""
    query = select(ApiKey).where(*_works(user_id, now)).order_by(ApiKey.id.desc())
    return (await session.scalars(query)).all()


async def count_keys(session: AsyncSession, user_id: UUID, now: datetime) -> int:
    query = select(func.count()).select_from(ApiKey).where(*_works(user_id, now))
    return await session.scalar(query) or 0


async def find_key(session: AsyncSession, key_id: UUID) -> ApiKey | None:
    return await session.scalar(select(ApiKey).where(ApiKey.id == key_id))


async def revoke(session: AsyncSession, key_id: UUID, user_id: UUID, now: datetime) -> UUID | None:
    """Revoke a key of the user and return its id, or None when it was over already."""
    statement = (
        update(ApiKey)
        .where(ApiKey.id == key_id, *_works(user_id, now))
        .values(revoked_at=now)
        .returning(ApiKey.id)
    )
    return await session.scalar(statement)


async def revoke_all(session: AsyncSession, user_id: UUID, now: datetime) -> Sequence[UUID]:
    """Revoke the user's keys that still work, and return their ids."""
    statement = (
        update(ApiKey).where(*_works(user_id, now)).values(revoked_at=now).returning(ApiKey.id)
    )
    return (await session.scalars(statement)).all()


def _works(user_id: UUID, now: datetime) -> tuple:  # type: ignore[type-arg]  # Of SQL conditions.
    return ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None), ApiKey.expires_at > now
