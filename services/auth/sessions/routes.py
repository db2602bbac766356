from fastapi import Response

from services.auth.errors import (
    AccountLocked,
    InvalidCredentials,
    RefreshInvalid,
    RefreshWasReused,
    SignInThrottled,
    UserNotFound,
)
from services.auth.resources import Secrets
from services.auth.sessions import service
from services.auth.sessions.schemas import (
    RefreshCreate,
    SignedInRead,
    SignInCreate,
    SignOut,
    TokensRead,
)
from services.auth.users import service as users
from services.auth.visits import KeylessVisit
from shared.web import Now, Session, problems
from shared.web.app import feature_router
from shared.web.permissions import SignedIn

router = feature_router("/api/auth", "sessions")


@router.post("/login", responses=problems(InvalidCredentials, AccountLocked, SignInThrottled))
async def sign_in(
    body: SignInCreate, response: Response, visit: KeylessVisit, vault: Secrets, now: Now
) -> SignedInRead:
    """Sign in with e-mail address and password."""
    granted = await service.sign_in(visit, body, vault=vault, now=now)
    response.headers["Cache-Control"] = "no-store"
    return SignedInRead(
        access_token=granted.access_token,
        refresh_token=granted.refresh_token,
        token_type="Bearer",  # noqa: S106 - the kind of token, RFC 6750.
        expires_in=granted.expires_in,
        user=users.opened(vault, granted.user),
    )


@router.post("/refresh", responses=problems(RefreshInvalid, RefreshWasReused))
async def refresh(
    body: RefreshCreate, response: Response, visit: KeylessVisit, vault: Secrets, now: Now
) -> TokensRead:
    """Exchange a refresh token for the next pair.

    A token is good for one exchange. When its answer got lost, sending it again within ten
    seconds gives the same successor; later, or after that one was used, it ends the session.
    """
    presented = body.refresh_token.get_secret_value()
    granted = await service.refresh(visit, presented, vault=vault, now=now)
    response.headers["Cache-Control"] = "no-store"
    return TokensRead(
        access_token=granted.access_token,
        refresh_token=granted.refresh_token,
        token_type="Bearer",  # noqa: S106 - the kind of token, RFC 6750.
        expires_in=granted.expires_in,
    )


@router.post("/logout", status_code=204, responses=problems(UserNotFound))
async def sign_out(
    session: Session, actor: SignedIn, now: Now, body: SignOut | None = None
) -> None:
    """End this session, or with `all` every session of yours; its tokens are refused at once."""
    everywhere = body is not None and body.all
    await service.sign_out(session, everywhere=everywhere, actor=actor, now=now)
