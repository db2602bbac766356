"""One's own account."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts.schemas import AccountRead, TenantOfAccount
from services.auth.tenants import service as tenants
from services.auth.users import service as users
from services.auth.users.models import User
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


async def _to_read(session: AsyncSession, user: User, vault: Vault) -> AccountRead:
    tenant = TenantOfAccount.model_validate(await tenants.get_tenant(session, user.tenant_id))
    return AccountRead(**users.to_read(user, vault=vault).model_dump(), tenant=tenant)
