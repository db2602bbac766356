from uuid import UUID

from fastapi import Response

from services.auth.passwords.errors import SignInBusy
from services.auth.requests import KeylessTransactions, Secrets
from services.auth.sessions import service
from services.auth.sessions.errors import (
    PROOF_REFUSALS,
    RefreshInvalid,
    RefreshWasReused,
    SessionNotFound,
    SessionOver,
    SignInIncomplete,
)
from services.auth.sessions.schemas import (
    AccessRead,
    EnrolmentRead,
    ProofInput,
    RefreshCreate,
    SessionsRead,
    SignedInRead,
    SignInCreate,
    SignOut,
    TokensRead,
)
from services.auth.users.errors import UserNotFound
from shared.web import Now, Session, feature_router, problems
from shared.web.permissions import SignedIn
from shared.web.route import SmallRoute

router = feature_router("/api/auth", "sessions", route_class=SmallRoute)


@router.post("/login", responses=problems(*PROOF_REFUSALS, SignInBusy))
async def sign_in(
    body: SignInCreate,
    response: Response,
    transactions: KeylessTransactions,
    vault: Secrets,
    now: Now,
) -> SignedInRead | EnrolmentRead:
    """Sign in.

    Takes e-mail address, password and, where the account has one, a second factor.

    Without the code that it needs the answer is 401 `two_factor_required`: send the same again with
    `code`. Who must set a second factor up or choose a password first gets an `enrolment_token`.
    """
    response.headers["Cache-Control"] = "no-store"
    return await service.sign_in(transactions, body, vault=vault, now=now)


@router.post("/step-up", responses=problems(*PROOF_REFUSALS, SessionOver, UserNotFound))
async def step_up(
    body: ProofInput,
    response: Response,
    caller: SignedIn,
    transactions: KeylessTransactions,
    vault: Secrets,
    now: Now,
) -> AccessRead:
    """Prove again who you are.

    For acts that need a fresh proof of identity; good for five minutes. Who has no password asks
    for one by mail, or signs in anew by the identity provider (`/api/auth/oidc/start`, `fresh`).
    """
    response.headers["Cache-Control"] = "no-store"
    return await service.step_up(transactions, body, vault=vault, caller=caller, now=now)


@router.post("/refresh", responses=problems(RefreshInvalid, RefreshWasReused, SignInIncomplete))
async def refresh_tokens(
    body: RefreshCreate,
    response: Response,
    transactions: KeylessTransactions,
    vault: Secrets,
    now: Now,
) -> TokensRead:
    """Exchange a refresh token for new tokens.

    A token is good for one exchange. When its answer got lost, sending it again within ten
    seconds gives the same successor; later, or after that one was used, it ends the session.
    """
    response.headers["Cache-Control"] = "no-store"
    presented = body.refresh_token.get_secret_value()
    return await service.refresh(transactions, presented, vault=vault, now=now)


@router.post("/logout", status_code=204, responses=problems(UserNotFound))
async def sign_out(
    session: Session, caller: SignedIn, now: Now, body: SignOut | None = None
) -> None:
    """Sign out.

    Ends this session, or with `all` every session of yours; its tokens are refused at once.
    """
    everywhere = body is not None and body.all
    await service.sign_out(session, everywhere=everywhere, caller=caller, now=now)


@router.get("/sessions", responses=problems(UserNotFound))
async def list_sessions(
    session: Session, caller: SignedIn, vault: Secrets, now: Now
) -> SessionsRead:
    """List your sessions.

    Where you are signed in: devices, addresses, when last seen; the last used first.
    """
    return await service.list_sessions(session, vault=vault, caller=caller, now=now)


@router.delete("/sessions", status_code=204)
async def revoke_other_sessions(session: Session, caller: SignedIn, now: Now) -> None:
    """Sign out everywhere else.

    Ends all your sessions but this one.
    """
    await service.revoke_other_sessions(
        session, caller.id, caller.session_id, reason="revoked", now=now
    )


@router.delete("/sessions/{session_id}", status_code=204, responses=problems(SessionNotFound))
async def revoke_session(session_id: UUID, session: Session, caller: SignedIn, now: Now) -> None:
    """Sign out one of your devices.

    Its tokens are refused at once.
    """
    await service.revoke_session(session, session_id, caller=caller, now=now)
