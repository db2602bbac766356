from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.auth.accounts import service
from services.auth.accounts.errors import (
    InvitationNeeded,
    NotInvited,
    NotPending,
    RegistrationClosed,
)
from services.auth.accounts.schemas import (
    AccountRead,
    AddressInput,
    AskedRead,
    EmailChange,
    InvitationAccept,
    InvitationCreate,
    InvitationRead,
    PasswordReset,
    RegistrationCreate,
    TokenInput,
    UserDeactivation,
)
from services.auth.one_time.errors import OneTimeTokenInvalid
from services.auth.passwords.errors import PasswordCommon, PasswordTooLong, PasswordTooShort
from services.auth.requests import KeyedTransactions, KeylessTransactions, Secrets
from services.auth.tenants.errors import TenantNotFound
from services.auth.users import service as users
from services.auth.users.errors import (
    AccountClosed,
    AccountErased,
    AdministratorUnlimited,
    EmailTaken,
    LastAdministrator,
    UserNotFound,
)
from services.auth.users.schemas import ProfileUpdate, UserRead
from shared.principal import Principal
from shared.web import Now, Session, feature_router, problems, requires
from shared.web.etag import IfMatch
from shared.web.permissions import Anybody, SignedIn
from shared.web.route import SmallRoute

router = feature_router("/api/auth", "account", route_class=SmallRoute)
invitations = feature_router("/api/invitations", "users", route_class=SmallRoute)
approvals = feature_router("/api/users", "users", route_class=SmallRoute)

SignedInNow = Annotated[Principal, Depends(requires(fresh=True))]
CanManageNow = Annotated[Principal, Depends(requires("user:manage", fresh=True))]


@router.post(
    "/register",
    status_code=201,
    responses=problems(
        RegistrationClosed, InvitationNeeded, PasswordTooShort, PasswordTooLong, PasswordCommon
    ),
)
async def register(
    body: RegistrationCreate, transactions: KeyedTransactions, vault: Secrets, now: Now
) -> UserRead:
    """Register an account.

    A mail tells how to go on. The answer is the same whether the address has an account or not.

    The account can do nothing before its address is verified; where the tenant is not open, an
    administrator approves it too.
    """
    return await service.register(transactions, body, vault=vault, now=now)


@router.post("/verify-email", responses=problems(OneTimeTokenInvalid, TenantNotFound))
async def verify_address(
    body: TokenInput, transactions: KeylessTransactions, vault: Secrets, now: Now
) -> UserRead:
    """Verify your e-mail address.

    The token from the mail shows that the address is yours.
    """
    return await service.verify_address(transactions, body.token, vault=vault, now=now)


@router.post("/resend-verification", status_code=202)
async def resend_verification(
    body: AddressInput, transactions: KeyedTransactions, vault: Secrets, now: Now
) -> AskedRead:
    """Ask for another verification mail.

    The answer is the same for every address.
    """
    return await service.ask(transactions, "verification", body, vault=vault, now=now)


@router.post("/forgot-password", status_code=202)
async def forgot_password(
    body: AddressInput, transactions: KeyedTransactions, vault: Secrets, now: Now
) -> AskedRead:
    """Ask for a mail to reset your password.

    The answer is the same for every address.
    """
    return await service.ask(transactions, "reset", body, vault=vault, now=now)


@router.post(
    "/reset-password",
    status_code=204,
    responses=problems(
        OneTimeTokenInvalid, TenantNotFound, PasswordTooShort, PasswordTooLong, PasswordCommon
    ),
)
async def reset_password(
    body: PasswordReset, transactions: KeylessTransactions, vault: Secrets, now: Now
) -> None:
    """Reset a forgotten password.

    The token from the mail lets you choose another; all your sessions end, and your API keys are
    revoked.
    """
    await service.reset_password(transactions, body, vault=vault, now=now)


@router.post(
    "/accept-invitation",
    responses=problems(
        OneTimeTokenInvalid, TenantNotFound, PasswordTooShort, PasswordTooLong, PasswordCommon
    ),
)
async def accept_invitation(
    body: InvitationAccept, transactions: KeylessTransactions, vault: Secrets, now: Now
) -> UserRead:
    """Accept an invitation.

    The token from the mail lets you choose a password; then sign in.
    """
    return await service.accept_invitation(transactions, body, vault=vault, now=now)


@router.get("/me", responses=problems(UserNotFound, TenantNotFound))
async def get_account(session: Session, vault: Secrets, caller: Anybody) -> AccountRead:
    """Read your own account.

    Role, scopes, language and tenant.
    """
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
    """Change your name or language.

    A new language counts within a second, everywhere.
    """
    return await service.change_account(
        session, body, if_match, vault=vault, caller=caller, now=now
    )


@router.post("/change-email", status_code=202)
async def ask_for_address(
    body: EmailChange, session: Session, vault: Secrets, caller: SignedInNow, now: Now
) -> AskedRead:
    """Ask for another e-mail address.

    A mail to it tells how to confirm it. The answer is the same whether the address has an account
    or not.
    """
    return service.ask_for_address(session, body.email, vault=vault, caller=caller, now=now)


@router.post("/confirm-email", responses=problems(OneTimeTokenInvalid, EmailTaken, TenantNotFound))
async def confirm_address(
    body: TokenInput, session: Session, vault: Secrets, caller: SignedIn, now: Now
) -> UserRead:
    """Confirm another e-mail address.

    Takes the token from the mail, and you signed in. Your sessions go on; the address before gets
    a notice, and whatever was mailed to it is good no more.
    """
    user = await service.confirm_address(session, body.token, vault=vault, caller=caller, now=now)
    return users.to_read(user, vault=vault)


@invitations.post(
    "",
    status_code=201,
    responses=problems(EmailTaken, AdministratorUnlimited, TenantNotFound, UserNotFound),
)
async def invite_user(
    body: InvitationCreate, session: Session, vault: Secrets, caller: CanManageNow, now: Now
) -> InvitationRead:
    """Invite a user.

    Sends a mail. Sent again, the mail before is good no more.
    """
    return await service.invite(session, body, vault=vault, caller=caller, now=now)


@invitations.delete(
    "/{user_id}",
    status_code=204,
    responses=problems(UserNotFound, NotInvited, AccountClosed, LastAdministrator),
)
async def withdraw_invitation(
    user_id: UUID, session: Session, vault: Secrets, _caller: CanManageNow, now: Now
) -> None:
    """Withdraw an invitation.

    It must not have been accepted; the account is locked.
    """
    await service.withdraw_invitation(session, user_id, vault=vault, now=now)


@approvals.post("/{user_id}/approve", responses=problems(UserNotFound, NotPending))
async def approve_user(
    user_id: UUID, session: Session, vault: Secrets, _caller: CanManageNow, now: Now
) -> UserRead:
    """Approve a user who registered.

    The address must have been verified; from then on the user can sign in.
    """
    return users.to_read(await service.approve(session, user_id, now=now), vault=vault)


@approvals.post(
    "/{user_id}/change-email",
    responses=problems(UserNotFound, AccountErased, EmailTaken, TenantNotFound),
)
async def change_address(
    user_id: UUID,
    body: EmailChange,
    session: Session,
    vault: Secrets,
    _caller: CanManageNow,
    now: Now,
) -> UserRead:
    """Give a user another e-mail address.

    It counts at once; both addresses get a notice, and sessions go on. Who was invited and has not
    come in is to be invited anew.
    """
    user = await service.change_address(session, user_id, body.email, vault=vault, now=now)
    return users.to_read(user, vault=vault)


@approvals.post(
    "/{user_id}/lock", responses=problems(UserNotFound, AccountClosed, LastAdministrator)
)
async def lock_user(
    user_id: UUID, session: Session, vault: Secrets, _caller: CanManageNow, now: Now
) -> UserRead:
    """Lock a user.

    Nobody signs in to a locked account, all its sessions end at once and its API keys are revoked.
    An invitation waits until it is unlocked.
    """
    user = await service.lock_user(session, user_id, vault=vault, now=now)
    return users.to_read(user, vault=vault)


@approvals.post("/{user_id}/deactivate", responses=problems(UserNotFound, LastAdministrator))
async def deactivate_user(
    user_id: UUID,
    body: UserDeactivation,
    session: Session,
    vault: Secrets,
    _caller: CanManageNow,
    now: Now,
) -> UserRead:
    """Deactivate the account of somebody who left.

    All sessions end and the API keys are revoked.
    To whoever tries to sign in, the account looks as if there were none.
    """
    user = await service.deactivate_user(session, user_id, body.reason, vault=vault, now=now)
    return users.to_read(user, vault=vault)


@approvals.post("/{user_id}/reactivate", responses=problems(UserNotFound, AccountErased))
async def reactivate_user(
    user_id: UUID, session: Session, vault: Secrets, _caller: CanManageNow, now: Now
) -> UserRead:
    """Reactivate an account.

    It is what it was and has the password that it had; API keys and invitations must be made
    anew. The user is told by mail.
    """
    user = await service.reactivate_user(session, user_id, vault=vault, now=now)
    return users.to_read(user, vault=vault)
