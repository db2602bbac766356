"""Which second factors a user has, and going without."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.factors import queries
from services.auth.factors.rules import Kind
from shared import journal
from shared.contracts.auth.factors import TwoFactorDisabled


class FactorState(NamedTuple):
    enabled: bool
    recovery_codes_left: int


async def state_of(session: AsyncSession, user_id: UUID) -> FactorState:
    """Return whether the user has a second factor in use, and the recovery codes left."""
    return FactorState(
        await has_factor(session, user_id), await queries.count_recovery_codes(session, user_id)
    )


async def kinds_of(session: AsyncSession, user_id: UUID) -> tuple[Kind, ...]:
    """Return which kinds of second factors the user has in use; without any, nothing."""
    found = await queries.find_authenticator(session, user_id)
    codes: tuple[Kind, ...] = ("otp",) if found is not None and found.secret_sealed else ()
    passkeys: tuple[Kind, ...] = ("passkey",) if await queries.has_passkey(session, user_id) else ()
    return codes + passkeys


async def has_factor(session: AsyncSession, user_id: UUID) -> bool:
    """Say whether the user has a second factor in use."""
    return bool(await kinds_of(session, user_id))


async def remove_all(session: AsyncSession, user_id: UUID) -> None:
    """Take all second factors of the user away; the caller journals why."""
    await queries.remove_factors(session, user_id)


async def disable(session: AsyncSession, user_id: UUID) -> None:
    """Take all second factors of a user away who wants none."""
    await remove_all(session, user_id)
    journal.record(session, TwoFactorDisabled(user_id=user_id))
