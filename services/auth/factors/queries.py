from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.factors.models import Authenticator, RecoveryCode


async def find_authenticator(
    session: AsyncSession, user_id: UUID, *, lock: bool = False
) -> Authenticator | None:
    query = select(Authenticator).where(Authenticator.user_id == user_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def spend_step(session: AsyncSession, user_id: UUID, step: int) -> bool:
    """Mark the codes up to `step` as spent; say whether it was this call that did."""
    statement = (
        update(Authenticator)
        .where(Authenticator.user_id == user_id, Authenticator.last_step < step)
        .values(last_step=step)
        .returning(Authenticator.user_id)
    )
    return await session.scalar(statement) is not None


async def spend_recovery_code(
    session: AsyncSession, user_id: UUID, code_index: bytes, now: datetime
) -> bool:
    """Mark a recovery code as spent; say whether there was one, and it was this call that did."""
    statement = (
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_index == code_index,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.user_id)
    )
    return await session.scalar(statement) is not None


async def count_recovery_codes(session: AsyncSession, user_id: UUID) -> int:
    """Count the recovery codes that are left."""
    query = select(func.count()).where(
        RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    )
    return await session.scalar(query) or 0


async def replace_recovery_codes(
    session: AsyncSession, user_id: UUID, indices: Iterable[bytes]
) -> None:
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    await session.execute(
        insert(RecoveryCode), [{"user_id": user_id, "code_index": index} for index in indices]
    )


async def remove_factors(session: AsyncSession, user_id: UUID) -> None:
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    await session.execute(delete(Authenticator).where(Authenticator.user_id == user_id))
