from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.keys.models import SigningKeyRow


async def lock_keys(session: AsyncSession) -> None:
    """Let one transaction at a time change the signing keys."""
    await session.execute(_LOCK)


async def find_key(session: AsyncSession, kid: str) -> SigningKeyRow | None:
    return await session.get(SigningKeyRow, kid)


async def list_living(session: AsyncSession, now: datetime) -> Sequence[SigningKeyRow]:
    """Return the keys that are not over, the first added first."""
    query = (
        select(SigningKeyRow)
        .where(
            SigningKeyRow.private_sealed.is_not(None),
            or_(SigningKeyRow.ends_at.is_(None), SigningKeyRow.ends_at > now),
        )
        .order_by(SigningKeyRow.added_at, SigningKeyRow.kid)
    )
    return (await session.scalars(query)).all()


async def end_all(session: AsyncSession, ends_at: datetime) -> None:
    """Let all keys end at this moment that would go on longer."""
    await session.execute(
        update(SigningKeyRow)
        .where(or_(SigningKeyRow.ends_at.is_(None), SigningKeyRow.ends_at > ends_at))
        .values(ends_at=ends_at)
    )


async def forget_private_halves(session: AsyncSession, now: datetime) -> None:
    """Forget the private halves of the keys that are over."""
    await session.execute(
        update(SigningKeyRow).where(SigningKeyRow.ends_at <= now).values(private_sealed=None)
    )


_LOCK = text("SELECT wait_lock('signing keys')")
