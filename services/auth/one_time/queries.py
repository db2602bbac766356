from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.one_time.models import OneTimeToken
from services.auth.one_time.rules import Purpose


async def remove_earlier(
    session: AsyncSession, user_id: UUID, purpose: Purpose, *, keep: int = 0
) -> None:
    """Remove a user's tokens of this purpose, but for the `keep` newest: ids grow with time."""
    of_user = (OneTimeToken.user_id == user_id, OneTimeToken.purpose == purpose)
    kept = select(OneTimeToken.id).where(*of_user).order_by(OneTimeToken.id.desc()).limit(keep)
    await session.execute(delete(OneTimeToken).where(*of_user, OneTimeToken.id.not_in(kept)))


async def remove_all(session: AsyncSession, user_id: UUID) -> None:
    await session.execute(delete(OneTimeToken).where(OneTimeToken.user_id == user_id))


async def find_user_id(session: AsyncSession, token_id: UUID) -> UUID | None:
    query = select(OneTimeToken.user_id).where(OneTimeToken.id == token_id)
    return await session.scalar(query)


async def lock_token(session: AsyncSession, token_id: UUID) -> OneTimeToken | None:
    query = select(OneTimeToken).where(OneTimeToken.id == token_id)
    return await session.scalar(query.with_for_update())
