from typing import Annotated

from fastapi import Depends, Response

from services.auth.own_password import service
from services.auth.own_password.errors import PasswordUnchanged
from services.auth.own_password.schemas import PasswordChange
from services.auth.passwords.errors import PasswordCommon, PasswordTooLong, PasswordTooShort
from services.auth.requests import KeylessTransactions, Secrets
from services.auth.sessions.errors import (
    AccountLocked,
    InvalidCredentials,
    SessionOver,
)
from services.auth.sessions.schemas import EnrolmentRead, SignedInRead
from services.auth.throttle.errors import TooManySignIns
from services.auth.users.errors import UserNotFound
from shared.principal import Principal
from shared.web import Now, feature_router, problems, requires
from shared.web.route import SmallRoute

router = feature_router("/api/auth", "account", route_class=SmallRoute)

Enrolling = Annotated[Principal, Depends(requires(enrolling=True))]


@router.post(
    "/change-password",
    responses=problems(
        UserNotFound,
        InvalidCredentials,
        AccountLocked,
        TooManySignIns,
        SessionOver,
        PasswordUnchanged,
        PasswordTooShort,
        PasswordTooLong,
        PasswordCommon,
    ),
)
async def change_password(
    body: PasswordChange,
    caller: Enrolling,
    response: Response,
    transactions: KeylessTransactions,
    vault: Secrets,
    now: Now,
) -> SignedInRead | EnrolmentRead:
    """Change your password.

    All your other sessions end, and this one gets new tokens. Your API keys go on: revoke those
    that you do not know.

    With an enrolment token this is a step of the sign-in: the answer has the tokens, or the
    enrolment token for what is still to be done.
    """
    response.headers["Cache-Control"] = "no-store"
    return await service.change_password(transactions, body, vault=vault, caller=caller, now=now)
