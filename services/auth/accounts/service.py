from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts.errors import InvitationNeeded, RegistrationClosed
from services.auth.accounts.schemas import AccountRead, RegistrationCreate, TenantOfAccount
from services.auth.settings import RegistrationPolicy
from services.auth.tenants import service as tenants
from services.auth.tenants.errors import TenantNotFound
from services.auth.transactions import Transactions
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.users.rules import ROLE_OF_THE_REGISTERED
from services.auth.users.schemas import ProfileUpdate
from services.auth.vault import Vault
from shared.principal import Principal


async def get_account(session: AsyncSession, *, vault: Vault, caller: Principal) -> AccountRead:
    """Return the caller's own account. Raises UserNotFound, TenantNotFound."""
    return await _to_read(session, await users.get_user(session, caller.id), vault)


async def change_account(
    session: AsyncSession,
    wanted: ProfileUpdate,
    if_match: str | None,
    *,
    vault: Vault,
    caller: Principal,
    now: datetime,
) -> AccountRead:
    """Change the caller's own name or language.

    Raises UserNotFound, TenantNotFound, PreconditionFailed.
    """
    user = await users.change_profile(session, caller.id, wanted, if_match, vault=vault, now=now)
    return await _to_read(session, user, vault)


async def register(
    transactions: Transactions, wanted: RegistrationCreate, *, vault: Vault, now: datetime
) -> User:
    """Create an account for somebody who asks for one, where that is allowed.

    The password is hashed before anything is looked up and while no connection is held.
    Raises RegistrationClosed, InvitationNeeded, TenantNotFound, EmailTaken, PasswordTooShort,
    PasswordTooLong, PasswordCommon.
    """
    _require_open(vault.settings.registration_policy)
    password_hash = await vault.passwords.hash_new(
        wanted.password, personal=(wanted.email, wanted.name or "", wanted.tenant or "")
    )
    async with transactions.open(None) as session:
        tenant = await tenants.find_by_slug(session, wanted.tenant)
    if tenant is None:
        raise TenantNotFound
    return await users.register_user(
        await transactions.open_until_reply(tenant.id),
        users.NewUser(
            wanted.email, password_hash, ROLE_OF_THE_REGISTERED, wanted.name, wanted.language
        ),
        origin="registration",
        tenant_id=tenant.id,
        vault=vault,
        now=now,
    )


def _require_open(policy: RegistrationPolicy) -> None:
    """Raise RegistrationClosed or InvitationNeeded unless everybody may register."""
    match policy:
        case "closed":
            raise RegistrationClosed
        case "invite":
            raise InvitationNeeded
        case "open":
            return


async def _to_read(session: AsyncSession, user: User, vault: Vault) -> AccountRead:
    tenant = TenantOfAccount.model_validate(await tenants.get_tenant(session, user.tenant_id))
    return AccountRead(**users.to_read(user, vault=vault).model_dump(), tenant=tenant)
