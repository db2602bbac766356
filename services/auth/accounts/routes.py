from services.auth.accounts import service
from services.auth.accounts.errors import InvitationNeeded, RegistrationClosed
from services.auth.accounts.schemas import AccountRead, RegistrationCreate
from services.auth.passwords.errors import PasswordCommon, PasswordTooLong, PasswordTooShort
from services.auth.resources import Secrets
from services.auth.tenants.errors import TenantNotFound
from services.auth.transactions import KeyedTransactions
from services.auth.users import service as users
from services.auth.users.errors import EmailTaken, UserNotFound
from services.auth.users.schemas import ProfileUpdate, UserRead
from shared.web import Now, Session, feature_router, problems
from shared.web.etag import IfMatch
from shared.web.permissions import SignedIn
from shared.web.route import SmallRoute

router = feature_router("/api/auth", "account", route_class=SmallRoute)


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
    body: RegistrationCreate, transactions: KeyedTransactions, vault: Secrets, now: Now
) -> UserRead:
    """Open an account as a viewer, where `REGISTRATION` allows it."""
    user = await service.register(transactions, body, vault=vault, now=now)
    return users.to_read(user, vault=vault)


@router.get("/me", responses=problems(UserNotFound, TenantNotFound))
async def get_account(session: Session, vault: Secrets, caller: SignedIn) -> AccountRead:
    """Your own account: role, scopes, language, tenant."""
    return await service.get_account(session, vault=vault, caller=caller)


@router.patch("/me", responses=problems(UserNotFound, TenantNotFound))
async def change_account(
    body: ProfileUpdate,
    session: Session,
    vault: Secrets,
    caller: SignedIn,
    now: Now,
    if_match: IfMatch = None,
) -> AccountRead:
    """Change your own name or language; a new language counts within a second, everywhere."""
    return await service.change_account(
        session, body, if_match, vault=vault, caller=caller, now=now
    )
