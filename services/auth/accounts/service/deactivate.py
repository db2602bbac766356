"""Closing the account of somebody who left, and giving it back; and locking one.

What an administrator does by hand and what a directory does by SCIM are these two functions.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.api_keys import service as api_keys
from services.auth.one_time import service as one_time
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.vault import Vault
from shared.contracts.auth.users import DeactivationReason


async def deactivate_user(
    session: AsyncSession,
    user_id: UUID,
    reason: DeactivationReason,
    *,
    vault: Vault,
    now: datetime,
) -> User:
    """Let nobody in by this account any more: its sessions end, its API keys are revoked.

    What was mailed, an invitation too, is good no more. What is open already is refused within a
    second. Done again, it changes nothing.
    Raises UserNotFound, LastAdministrator.
    """
    user = await users.deactivate(session, user_id, reason, vault=vault, now=now)
    await api_keys.revoke_all_keys(session, user.id, now=now)
    await one_time.withdraw_all(session, user)
    return user


async def lock_user(session: AsyncSession, user_id: UUID, *, vault: Vault, now: datetime) -> User:
    """Lock the account: no sign-in, its sessions end, its API keys are revoked for good.

    Raises UserNotFound, AccountClosed, LastAdministrator.
    """
    user = await users.lock_user(session, user_id, vault=vault, now=now)
    await api_keys.revoke_all_keys(session, user.id, now=now)
    return user


async def reactivate_user(
    session: AsyncSession, user_id: UUID, *, vault: Vault, now: datetime
) -> User:
    """Let the user sign in again, with the password that he had; keys and sessions stay ended.

    Raises UserNotFound, AccountErased.
    """
    return await users.reactivate(session, user_id, vault=vault, now=now)
