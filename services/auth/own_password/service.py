"""Changing one's own password, with a session or before there is one."""

from datetime import datetime

from pydantic import SecretStr

from services.auth.own_password.errors import PasswordUnchanged
from services.auth.own_password.schemas import PasswordChange
from services.auth.passwords.rules import normalised
from services.auth.sessions import service as sessions
from services.auth.sessions.schemas import EnrolmentRead, SignedInRead
from services.auth.transactions import Transactions
from services.auth.users import service as users
from services.auth.vault import Vault
from shared.principal import Principal


async def change_password(
    transactions: Transactions,
    wanted: PasswordChange,
    *,
    vault: Vault,
    caller: Principal,
    now: datetime,
) -> SignedInRead | EnrolmentRead:
    """Give the caller another password and end all other sessions of his.

    Finishes the sign-in of a caller with an enrolment token, or says what is still to be done.
    Raises UserNotFound, Unauthorized, InvalidCredentials, AccountLocked, TooManySignIns,
    PasswordUnchanged, PasswordTooShort, PasswordTooLong, PasswordCommon, SessionOver.
    """
    account = await sessions.find_own_account(transactions, caller, vault=vault, now=now)
    verified = await sessions.check_password(
        transactions, account, _text(wanted.current_password), vault=vault
    )
    if _text(wanted.new_password) == _text(wanted.current_password):
        raise PasswordUnchanged
    shown = users.to_read(verified, vault=vault)
    close = (shown.email or "", shown.name or "", account.tenant.slug, account.tenant.name)
    password_hash = await vault.passwords.hash_new(wanted.new_password, personal=close)
    async with sessions.hold_verified(transactions, account, verified) as (session, _):
        user = await users.get_caller(session, caller)
        users.set_password(session, user, password_hash, now=now)
        await users.tell(session, user, "password_changed", vault=vault, now=now)
        return await sessions.go_on_after_password_change(
            session,
            user,
            account,
            device=transactions.device,
            vault=vault,
            caller=caller,
            now=now,
        )


def _text(password: SecretStr) -> str:
    return normalised(password.get_secret_value())
