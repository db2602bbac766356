"""Erasing a person: all in one transaction, and nothing of the records that others rely on."""

from datetime import datetime
from typing import get_args
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import service as accounts
from services.auth.accounts.rules import Kind
from services.auth.api_keys import service as api_keys
from services.auth.mail import service as mail
from services.auth.personal_data import queries
from services.auth.personal_data.errors import ErasureHeld, OwnErasure
from services.auth.personal_data.service.export import (
    addresses_of,
    list_earlier,
    list_holds_on,
)
from services.auth.throttle import service as throttle
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.vault import Vault
from shared.principal import Principal


async def erase_person(
    session: AsyncSession, user_id: UUID, *, vault: Vault, caller: Principal, now: datetime
) -> User:
    """Erase all that tells who a user of the tenant is; done again, it changes nothing.

    Raises UserNotFound, OwnErasure, LastAdministrator, ErasureHeld.
    """
    if user_id == caller.id:
        raise OwnErasure
    user = await users.lock_for_erasure(session, user_id)
    if user.erased_at is not None:
        return user
    held = await list_holds_on(session, user, now)
    if held:
        raise ErasureHeld(holds=[str(hold_id) for hold_id in held])
    await forget_person(session, user, vault=vault, now=now)
    return user


async def forget_person(session: AsyncSession, user: User, *, vault: Vault, now: datetime) -> None:
    """Erase the user, who is locked, whatever stands against it."""
    rows = await queries.list_own_rows(session, user.id)
    earlier = await list_earlier(session, user, vault=vault)
    addresses = addresses_of(user, rows, earlier, vault=vault)
    for row, _ in await mail.list_naming(session, addresses, vault=vault):
        await session.delete(row)
    for errand in await accounts.list_errands_of(session, user, addresses, vault=vault):
        await session.delete(errand)
    await throttle.forget_account(session, user.email_index, user.id, mailed=get_args(Kind))
    await api_keys.revoke_all_keys(session, user.id, now=now)
    await queries.forget_answers(session)
    users.erase(session, user, await vault.passwords.hash_unknown(), now=now)
    await session.flush()  # Rows that are removed as objects go before those of their tables.
    await queries.remove_rows(session, user.id)
