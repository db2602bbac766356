from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.factors.models import (
    Authenticator,
    Passkey,
    PasskeyChallenge,
    RecoveryCode,
)
from services.auth.factors.rules import ChallengePurpose


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
    await session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.user_id == user_id))
    await session.execute(delete(Passkey).where(Passkey.user_id == user_id))


async def has_passkey(session: AsyncSession, user_id: UUID) -> bool:
    query = select(Passkey.id).where(Passkey.user_id == user_id).limit(1)
    return await session.scalar(query) is not None


async def list_passkeys(session: AsyncSession, user_id: UUID) -> Sequence[Passkey]:
    """Return the user's passkeys, the oldest first."""
    query = select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)
    return (await session.scalars(query)).all()


async def find_passkey(session: AsyncSession, user_id: UUID, passkey_id: UUID) -> Passkey | None:
    query = select(Passkey).where(Passkey.user_id == user_id, Passkey.id == passkey_id)
    return await session.scalar(query)


async def lock_passkey_of(
    session: AsyncSession, user_id: UUID, credential_id: bytes
) -> Passkey | None:
    query = select(Passkey).where(
        Passkey.user_id == user_id, Passkey.credential_id == credential_id
    )
    return await session.scalar(query.with_for_update())


async def spend_challenge(
    session: AsyncSession,
    user_id: UUID,
    purpose: ChallengePurpose,
    challenge_index: bytes,
    *,
    bound_to: UUID | None,
    now: datetime,
) -> bool:
    """Remove a challenge; say whether there was one that counts, and it was this call that did."""
    statement = (
        delete(PasskeyChallenge)
        .where(
            PasskeyChallenge.challenge_index == challenge_index,
            PasskeyChallenge.user_id == user_id,
            PasskeyChallenge.purpose == purpose,
            PasskeyChallenge.bound_to.is_not_distinct_from(bound_to),
            PasskeyChallenge.expires_at > now,
        )
        .returning(PasskeyChallenge.user_id)
    )
    return await session.scalar(statement) is not None


async def forget_challenges(session: AsyncSession, user_id: UUID, now: datetime) -> None:
    await session.execute(
        delete(PasskeyChallenge).where(
            PasskeyChallenge.user_id == user_id, PasskeyChallenge.expires_at <= now
        )
    )
