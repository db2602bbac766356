from typing import Annotated

from fastapi import Depends, Response

from services.auth.factors.errors import (
    TwoFactorCodeWrong,
    TwoFactorCompulsory,
    TwoFactorNotSetUp,
)
from services.auth.requests import KeylessTransactions, Secrets
from services.auth.sessions.errors import PROOF_REFUSALS
from services.auth.sessions.schemas import ProofInput
from services.auth.tenants.errors import TenantNotFound
from services.auth.two_factor import service
from services.auth.two_factor.schemas import (
    CodeInput,
    RecoveryCodesRead,
    SetupRead,
    TwoFactorRead,
    VerifiedEnrollingRead,
    VerifiedRead,
    VerifiedSignedInRead,
)
from services.auth.users.errors import UserNotFound
from shared.principal import Principal
from shared.web import Now, Session, feature_router, problems, requires
from shared.web.permissions import SignedIn
from shared.web.route import SmallRoute

router = feature_router("/api/auth/2fa", "two-factor", route_class=SmallRoute)

Enrolling = Annotated[Principal, Depends(requires(fresh=True, enrolling=True))]
FreshlyProven = Annotated[Principal, Depends(requires(fresh=True))]


@router.get("", responses=problems(UserNotFound, TenantNotFound))
async def get_two_factor(session: Session, caller: SignedIn) -> TwoFactorRead:
    """Read the state of your two-factor sign-in.

    Whether you have a second factor, whether you must have one, and the recovery codes left.
    """
    return await service.get_state(session, caller=caller)


@router.post("/setup", responses=problems(UserNotFound, TenantNotFound))
async def begin_two_factor_setup(
    caller: Enrolling, response: Response, transactions: KeylessTransactions, vault: Secrets
) -> SetupRead:
    """Begin to set up an authenticator.

    The secret comes as text, as an address for an authenticator, and as a picture to scan. It
    counts once a code has proven it: `POST /api/auth/2fa/verify`.
    """
    response.headers["Cache-Control"] = "no-store"
    async with transactions.open_as(caller) as session:
        return await service.begin_setup(session, vault=vault, caller=caller)


@router.post(
    "/verify",
    responses=problems(UserNotFound, TenantNotFound, TwoFactorNotSetUp, TwoFactorCodeWrong),
)
async def finish_two_factor_setup(
    body: CodeInput,
    caller: Enrolling,
    response: Response,
    transactions: KeylessTransactions,
    vault: Secrets,
    now: Now,
) -> VerifiedSignedInRead | VerifiedEnrollingRead | VerifiedRead:
    """Finish setting up an authenticator.

    Its first code takes it into use; the answer has the recovery codes, shown this once.

    With an enrolment token this finishes the sign-in: the answer has the tokens too.
    """
    response.headers["Cache-Control"] = "no-store"
    async with transactions.open_as(caller) as session:
        return await service.verify(
            session,
            body.code,
            device=transactions.device,
            vault=vault,
            caller=caller,
            now=now,
        )


@router.post("/recovery-codes", responses=problems(UserNotFound, TwoFactorNotSetUp))
async def replace_recovery_codes(
    caller: FreshlyProven,
    response: Response,
    transactions: KeylessTransactions,
    vault: Secrets,
    now: Now,
) -> RecoveryCodesRead:
    """Replace the recovery codes.

    The earlier ones are good for nothing from now on; the new ones are shown this once.
    """
    response.headers["Cache-Control"] = "no-store"
    async with transactions.open_as(caller) as session:
        codes = await service.replace_recovery_codes(session, vault=vault, caller=caller, now=now)
    return RecoveryCodesRead(recovery_codes=codes)


@router.post(
    "/disable",
    status_code=204,
    responses=problems(
        *PROOF_REFUSALS, UserNotFound, TenantNotFound, TwoFactorCompulsory, TwoFactorNotSetUp
    ),
)
async def disable_two_factor(
    body: ProofInput,
    caller: SignedIn,
    transactions: KeylessTransactions,
    vault: Secrets,
    now: Now,
) -> None:
    """Disable two-factor sign-in.

    Needs your password and a code. Administrators cannot go without a second factor.
    """
    await service.disable(transactions, body, vault=vault, caller=caller, now=now)
