from datetime import datetime

from services.auth.accounts.rules import require_open
from services.auth.accounts.schemas import RegistrationCreate
from services.auth.errors import TenantNotFound
from services.auth.passwords.service import accept
from services.auth.tenants import service as tenants
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.users.rules import ROLE_OF_THE_REGISTERED
from services.auth.vault import Vault
from services.auth.visits import Visit


async def register(
    visit: Visit, wanted: RegistrationCreate, *, vault: Vault, now: datetime
) -> User:
    """Create an account for somebody who asks for one, where that is allowed.

    The password is hashed before anything is looked up and while no connection is held.
    Raises RegistrationClosed, InvitationNeeded, TenantNotFound, EmailTaken, PasswordTooShort,
    PasswordTooLong, PasswordCommon.
    """
    require_open(vault.settings.registration_policy)
    password = accept(
        wanted.password.get_secret_value(),
        length_min=vault.settings.password_min_length,
        personal=(wanted.email, wanted.name or "", wanted.tenant or ""),
    )
    password_hash = await vault.passwords.hash(password)
    async with visit.transaction(None) as session:
        tenant = await tenants.find_by_slug(session, wanted.tenant)
    if tenant is None:
        raise TenantNotFound
    return await users.create(
        await visit.enter(tenant.id),
        users.NewUser(
            wanted.email, password_hash, ROLE_OF_THE_REGISTERED, wanted.name, wanted.language
        ),
        origin="registration",
        tenant_id=tenant.id,
        vault=vault,
        now=now,
    )
