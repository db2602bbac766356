"""What a token that came by mail is good for."""

from datetime import datetime

from pydantic import SecretStr

from services.auth.accounts.schemas import InvitationAccept, PasswordReset
from services.auth.api_keys import service as api_keys
from services.auth.one_time import service as one_time
from services.auth.one_time.errors import OneTimeTokenInvalid
from services.auth.one_time.rules import Purpose
from services.auth.secret_text import SecretText
from services.auth.tenants import service as tenants
from services.auth.transactions import Transactions
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.users.schemas import UserRead
from services.auth.vault import Vault


async def verify_address(
    transactions: Transactions, token: SecretStr, *, vault: Vault, now: datetime
) -> UserRead:
    """Note that an address is its user's; where the tenant is open, the account is usable then.

    Raises OneTimeTokenInvalid.
    """
    said = one_time.read(token.get_secret_value())
    async with transactions.open(said.tenant_id) as session:
        user = await one_time.redeem(session, said, "verify", vault=vault, now=now)
        if not users.allows(user, "verify"):
            raise OneTimeTokenInvalid
        tenant = await tenants.get_tenant(session, said.tenant_id)
        users.verify(session, user, is_approved=tenant.registration == "open", now=now)
        return users.to_read(user, vault=vault)


async def reset_password(
    transactions: Transactions, wanted: PasswordReset, *, vault: Vault, now: datetime
) -> None:
    """Set a password by a token from the mail; all sessions end, and all API keys are revoked.

    Signing in then asks for the second factor as ever.

    Raises OneTimeTokenInvalid, PasswordTooShort, PasswordTooLong, PasswordCommon.
    """
    said = one_time.read(wanted.token.get_secret_value())
    hashed = await _hash_new(transactions, said, "reset", wanted.new_password, vault=vault, now=now)
    async with transactions.open(said.tenant_id) as session:
        user = await one_time.redeem(session, said, "reset", vault=vault, now=now)
        if not users.allows(user, "reset"):
            raise OneTimeTokenInvalid
        users.reset_password(session, user, hashed, now=now)
        await api_keys.revoke_all_keys(session, user.id, now=now)
        await users.tell(session, user, "password_changed", vault=vault, now=now)


async def accept_invitation(
    transactions: Transactions, wanted: InvitationAccept, *, vault: Vault, now: datetime
) -> UserRead:
    """Set the password of somebody who was invited, whose address is verified by that.

    Raises OneTimeTokenInvalid, PasswordTooShort, PasswordTooLong, PasswordCommon.
    """
    said = one_time.read(wanted.token.get_secret_value())
    hashed = await _hash_new(transactions, said, "invite", wanted.password, vault=vault, now=now)
    async with transactions.open(said.tenant_id) as session:
        user = await one_time.redeem(session, said, "invite", vault=vault, now=now)
        if not users.allows(user, "accept"):
            raise OneTimeTokenInvalid
        users.accept(
            session, user, hashed, name=wanted.name, language=wanted.language, vault=vault, now=now
        )
        return users.to_read(user, vault=vault)


async def _hash_new(
    transactions: Transactions,
    said: SecretText,
    purpose: Purpose,
    password: SecretStr,
    *,
    vault: Vault,
    now: datetime,
) -> str:
    """Hash a password while no connection is held; who has no good token costs nothing."""
    async with transactions.open(said.tenant_id) as session:
        user = await one_time.look_at(session, said, purpose, vault=vault, now=now)
        close = await _close_to(transactions, user, vault=vault)
    return await vault.passwords.hash_new(password, personal=close)


async def _close_to(transactions: Transactions, user: User, *, vault: Vault) -> tuple[str, ...]:
    """Return words close to the user, which the password may not be made of."""
    async with transactions.open(None) as session:
        tenant = await tenants.get_tenant(session, user.tenant_id)
    shown = users.to_read(user, vault=vault)
    return (shown.email or "", shown.name or "", tenant.slug, tenant.name)
