from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import service
from services.auth.accounts.schemas import AccountRead, RegistrationCreate, TenantOfAccount
from services.auth.errors import (
    EmailTaken,
    InvitationNeeded,
    PasswordCommon,
    PasswordTooLong,
    PasswordTooShort,
    RegistrationClosed,
    TenantNotFound,
    UserNotFound,
)
from services.auth.resources import Secrets
from services.auth.tenants import service as tenants
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.users.schemas import ProfileUpdate, UserRead
from services.auth.vault import Vault
from services.auth.visits import KeyedVisit
from shared.etag import require_match
from shared.web import Now, Session, problems
from shared.web.app import feature_router
from shared.web.etag import IfMatch
from shared.web.permissions import SignedIn

router = feature_router("/api/auth", "account")


@router.post(
    "/register",
    status_code=201,
    responses=problems(
        RegistrationClosed,
        InvitationNeeded,
        TenantNotFound,
        EmailTaken,
        PasswordTooShort,
        PasswordTooLong,
        PasswordCommon,
    ),
)
async def register(
    body: RegistrationCreate, visit: KeyedVisit, vault: Secrets, now: Now
) -> UserRead:
    """Open an account as a viewer, where `REGISTRATION` allows it."""
    return users.opened(vault, await service.register(visit, body, vault=vault, now=now))


@router.get("/me", responses=problems(UserNotFound, TenantNotFound))
async def read_account(session: Session, vault: Secrets, caller: SignedIn) -> AccountRead:
    """Your own account: role, scopes, language, tenant."""
    user = await users.get(session, caller.id)
    return await _account(session, vault, user)


@router.patch("/me", responses=problems(UserNotFound, TenantNotFound))
async def update_account(
    body: ProfileUpdate,
    session: Session,
    vault: Secrets,
    caller: SignedIn,
    if_match: IfMatch = None,
) -> AccountRead:
    """Change your own name or language; tokens carry a new language from the next refresh on."""
    user = await users.hold_own(session, caller.id)
    require_match(if_match, user.revision)
    users.change_profile(session, user, body, vault=vault)
    return await _account(session, vault, user)


async def _account(session: AsyncSession, vault: Vault, user: User) -> AccountRead:
    tenant = TenantOfAccount.model_validate(await tenants.get(session, user.tenant_id))
    return AccountRead(**users.opened(vault, user).model_dump(), tenant=tenant)
