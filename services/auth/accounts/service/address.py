"""Another address for an account: by its user, who shows that it is his, or by an administrator."""

from datetime import datetime
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts.schemas import AskedRead
from services.auth.accounts.service.ask import take_down
from services.auth.one_time import service as one_time
from services.auth.one_time.errors import OneTimeTokenInvalid
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.vault import Vault
from shared.principal import Principal


def ask_for_address(
    session: AsyncSession, email: str, *, vault: Vault, caller: Principal, now: datetime
) -> AskedRead:
    """Take down that the caller wants another address, which the worker sends a token to.

    The answer tells nothing of the address: whether it has an account, its owner alone is told.
    """
    asked = {"user_id": str(caller.id), "email": email, "nowhere": None}
    take_down(session, "address", caller.tenant_id, asked, vault=vault, now=now)
    return AskedRead(accepted=True)


async def confirm_address(
    session: AsyncSession, token: SecretStr, *, vault: Vault, caller: Principal, now: datetime
) -> User:
    """Give the caller the address that the token was sent to.

    It takes both, the token and its user signed in: in a stranger's hands, because the address was
    mistyped, the token is worth nothing. Raises OneTimeTokenInvalid, EmailTaken.
    """
    said = one_time.read(token.get_secret_value())
    user, email = await one_time.redeem_address(session, said, vault=vault, now=now)
    if user.id != caller.id or users.is_barred(user):
        raise OneTimeTokenInvalid
    await _change(session, user, email, vault=vault, now=now)
    return user


async def change_address(
    session: AsyncSession, user_id: UUID, email: str, *, vault: Vault, now: datetime
) -> User:
    """Give a user another address at once, as administrators do; both addresses are told.

    Raises UserNotFound, AccountErased, EmailTaken.
    """
    user = await users.get_user(session, user_id, lock=True)
    users.require_kept(user)
    if users.to_read(user, vault=vault).email != email:
        await _change(session, user, email, vault=vault, now=now)
        await users.tell(session, user, "address_given", vault=vault, now=now)
    return user


async def _change(
    session: AsyncSession, user: User, email: str, *, vault: Vault, now: datetime
) -> None:
    await users.tell(session, user, "address_changed", vault=vault, now=now)
    await users.change_email(session, user, email, vault=vault)
    await one_time.withdraw_all(session, user)  # They went to the address before.
