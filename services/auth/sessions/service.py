from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NoReturn, cast

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth import metrics
from services.auth.errors import (
    AccountLocked,
    InvalidCredentials,
    RefreshInvalid,
    RefreshWasReused,
    SignInThrottled,
)
from services.auth.passwords.rules import normalised
from services.auth.sessions import queries
from services.auth.sessions.models import UserSession
from services.auth.sessions.rules import (
    ATTEMPT_WINDOW,
    ENDED_SESSIONS_KEPT,
    RefreshToken,
    expiry,
    is_first_throttled,
    is_throttled,
    judge_unrotated,
    retry_after_s,
)
from services.auth.sessions.schemas import SignInCreate
from services.auth.tenants import service as tenants
from services.auth.tenants.models import Tenant
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.users.rules import lookup_form
from services.auth.vault import Vault
from services.auth.visits import Visit
from shared import journal
from shared.contracts.auth.sessions import (
    RefreshReused,
    RefusalReason,
    SessionRefreshed,
    SessionRevoked,
    SignInFailed,
    UserSignedIn,
)
from shared.contracts.auth.sessions import SignInThrottled as SignInThrottledEntry
from shared.ids import new_id
from shared.principal import Principal
from shared.security.claims import UserClaims

PASSWORD_ONLY = ("pwd",)


@dataclass(frozen=True, slots=True)
class Granted:
    """What a sign-in or a refresh gives."""

    access_token: str
    refresh_token: str
    expires_in: int  # Seconds, of the access token.
    user: User


async def sign_in(visit: Visit, wanted: SignInCreate, *, vault: Vault, now: datetime) -> Granted:
    """Start a session for whoever knows the password.

    The attempt is counted before the password is looked at, so parallel guesses get no further
    than ATTEMPTS_MAX; no connection is held while hashing. An unknown account takes the same
    steps and the same time. Raises InvalidCredentials, AccountLocked, SignInThrottled.
    """
    password = normalised(wanted.password.get_secret_value())
    async with visit.transaction(None) as session:
        tenant = await tenants.find_by_slug(session, wanted.tenant)
    if tenant is None:
        await vault.passwords.verify(None, password)
        _refuse("unknown_tenant")
    account = vault.emails.of(lookup_form(wanted.email), tenant.id)
    user = await _find_if_attempts_left(visit, wanted.email, account, tenant, vault=vault, now=now)
    matches = await vault.passwords.verify(user.password_hash if user else None, password)
    if user is None or not matches or user.locked_at is not None:
        reason = _reason(user, matches=matches)
        async with visit.transaction(tenant.id) as session:
            user_id = user.id if user else None
            entry = SignInFailed(account=account.hex(), user_id=user_id, reason=reason)
            journal.record(session, entry)
        _refuse(reason)
    renewed = None
    if vault.passwords.is_outdated(user.password_hash):
        renewed = await vault.passwords.hash(password)
    async with visit.transaction(tenant.id, f"user:{user.id}") as session:
        await queries.forget_attempts(session, account)
        if renewed is not None:
            await users.renew_hash(session, user.id, renewed)
        started = _start(session, user, vault=vault, now=now)
    metrics.attempts.labels("success").inc()
    return _granted(vault, user, started, now)


async def refresh(visit: Visit, presented: str, *, vault: Vault, now: datetime) -> Granted:
    """Give the next pair of tokens for a refresh token, once.

    Raises RefreshInvalid, and RefreshWasReused after revoking the session.
    """
    token = RefreshToken.read(presented, vault.refresh_key)
    if token is None:
        raise RefreshInvalid
    async with visit.transaction(token.tenant_id, f"user:{token.user_id}") as session:
        user = await users.find(session, token.user_id)
        found = await _rotate_or_repeat(session, token, vault=vault, now=now)
        if user is None or (found and users.has_ended_session(user, found.started_at)):
            raise RefreshInvalid
    if found is None:
        raise RefreshWasReused
    return _granted(vault, user, found, now)


async def sign_out(
    session: AsyncSession, *, everywhere: bool, actor: Principal, now: datetime
) -> None:
    """End the caller's session, or all sessions of the caller; once ended it stays so."""
    if everywhere:
        user = await users.hold_own(session, actor.id)
        users.end_sessions(session, user, reason="logout_all", now=now)
        return
    user_id = await queries.revoke(session, actor.session_id, now)
    if user_id is not None:
        entry = SessionRevoked(session_id=actor.session_id, user_id=user_id, reason="logout")
        journal.record(session, entry)


async def forget_ended(session: AsyncSession, *, now: datetime) -> int:
    """Forget, for all tenants, what no decision needs any more; return how many rows."""
    return await queries.forget_ended(session, now - ENDED_SESSIONS_KEPT, now - ATTEMPT_WINDOW)


async def measure_active(session: AsyncSession, *, now: datetime) -> None:
    """Set the gauges of accounts and sessions that are in use."""
    active = await queries.count_active(session, now)
    metrics.users_active.set(active.users)
    metrics.sessions_active.set(active.sessions)


async def _find_if_attempts_left(
    visit: Visit, email: str, account: bytes, tenant: Tenant, *, vault: Vault, now: datetime
) -> User | None:
    async with visit.transaction(tenant.id) as session:
        attempts = await queries.count_attempt(session, account, now, ATTEMPT_WINDOW)
        user = await users.find_by_email(session, email, tenant_id=tenant.id, vault=vault)
        if is_first_throttled(attempts.number):
            journal.record(session, SignInThrottledEntry(account=account.hex()))
    if is_throttled(attempts.number):
        metrics.attempts.labels("throttled").inc()
        metrics.failed_attempts.labels("throttled").inc()
        raise SignInThrottled(retry_after_s(attempts.window_started_at, now))
    return user


def _reason(user: User | None, *, matches: bool) -> RefusalReason:
    if user is None:
        return "unknown_account"
    return "locked" if matches else "wrong_password"


def _refuse(reason: RefusalReason | Literal["unknown_tenant"]) -> NoReturn:
    metrics.attempts.labels("failure").inc()
    metrics.failed_attempts.labels(reason).inc()
    raise AccountLocked if reason == "locked" else InvalidCredentials


def _start(session: AsyncSession, user: User, *, vault: Vault, now: datetime) -> UserSession:
    started = UserSession(
        id=new_id(),
        user_id=user.id,
        counter=0,
        methods=list(PASSWORD_ONLY),
        started_at=now,
        refreshed_at=now,
        expires_at=_expiry(vault, now, now),
    )
    session.add(started)
    journal.record(
        session, UserSignedIn(user_id=user.id, session_id=started.id, methods=PASSWORD_ONLY)
    )
    return started


async def _rotate_or_repeat(
    session: AsyncSession, token: RefreshToken, *, vault: Vault, now: datetime
) -> UserSession | None:
    """Return the session at its present token, or None after revoking it for reuse."""
    rotated = await queries.rotate(session, token.session_id, token.counter, now)
    if rotated is not None:
        rotated.expires_at = _expiry(vault, rotated.started_at, now)
        ids = {"session_id": rotated.id, "user_id": rotated.user_id}
        journal.record(session, SessionRefreshed(**ids, counter=rotated.counter))
        return rotated
    found = await queries.find(session, token.session_id)
    if found is None:
        raise RefreshInvalid
    outcome = judge_unrotated(
        token.counter,
        counter=found.counter,
        refreshed_at=found.refreshed_at,
        is_over=found.revoked_at is not None or found.expires_at <= now,
        now=now,
    )
    if outcome == "ended":
        raise RefreshInvalid
    if outcome == "repeat":
        return found
    await _revoke_for_reuse(session, found, token, now)
    return None


async def _revoke_for_reuse(
    session: AsyncSession, found: UserSession, token: RefreshToken, now: datetime
) -> None:
    if await queries.revoke(session, found.id, now) is None:
        return
    ids = {"session_id": found.id, "user_id": found.user_id}
    journal.record(session, RefreshReused(**ids, presented=token.counter, counter=found.counter))
    journal.record(session, SessionRevoked(**ids, reason="reuse"))


def _expiry(vault: Vault, started_at: datetime, now: datetime) -> datetime:
    return expiry(
        started_at,
        now,
        idle_s=vault.settings.jwt_refresh_ttl,
        lifetime_max_s=vault.settings.session_lifetime_max,
    )


def _granted(vault: Vault, user: User, session: UserSession, now: datetime) -> Granted:
    lifetime_s = vault.settings.jwt_access_ttl
    issued_at = int(now.timestamp())
    claims = UserClaims(
        sub=user.id,
        tid=user.tenant_id,
        sid=session.id,
        ver=user.token_version,
        jti=new_id(),
        iat=issued_at,
        exp=issued_at + lifetime_s,
        auth_time=int(session.started_at.timestamp()),
        role=user.role,
        scopes=users.scopes_in(user),
        amr=tuple(session.methods),
        lang=cast("Literal['en', 'fr'] | None", user.language),
    )
    due = RefreshToken(user.tenant_id, user.id, session.id, session.counter)
    return Granted(vault.signer.sign(claims), due.sealed(vault.refresh_key), lifetime_s, user)
