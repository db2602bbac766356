"""Signing in, step by step; what a second factor asks for stands between two of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.auth.passwords.rules import normalised
from services.auth.sessions import metrics, queries
from services.auth.sessions.errors import AccountLocked, InvalidCredentials, TooManySignIns
from services.auth.sessions.models import UserSession
from services.auth.sessions.rules import (
    ATTEMPT_WINDOW,
    is_first_throttled,
    is_throttled,
    retry_after_s,
)
from services.auth.sessions.schemas import SignedInRead, SignInCreate
from services.auth.sessions.service.tokens import expiry_of, make_tokens
from services.auth.tenants import service as tenants
from services.auth.tenants.models import Tenant
from services.auth.transactions import Transactions
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.users.rules import lookup_form
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.sessions import (
    RefusalReason,
    SignInFailed,
    SignInThrottled,
    UserSignedIn,
)
from shared.errors import Problem
from shared.ids import new_id

PASSWORD_ONLY = ("pwd",)


@dataclass(frozen=True, slots=True)
class Account:
    """What a sign-in is tried on: it counts attempts whether there is a user or not."""

    tenant: Tenant
    index: bytes  # The blind index of the address.
    user: User | None


async def sign_in(
    transactions: Transactions, wanted: SignInCreate, *, vault: Vault, now: datetime
) -> SignedInRead:
    """Start a session for whoever knows the password.

    The attempt is counted before the password is looked at, so parallel guesses get no further
    than ATTEMPTS_MAX; no connection is held while hashing. An unknown account takes the same
    steps and the same time. Raises InvalidCredentials, AccountLocked, TooManySignIns.
    """
    password = normalised(wanted.password.get_secret_value())
    tenant = await _find_tenant(transactions, wanted)
    if tenant is None:
        await vault.passwords.verify(None, password)
        raise _refusal("unknown_tenant")
    account = await _find_account(transactions, tenant, wanted.email, vault=vault, now=now)
    user = await _check_password(transactions, account, password, vault=vault)
    renewed = await _hash_anew_if_outdated(user, password, vault=vault)
    user, started = await _start_session(transactions, account, user, renewed, vault=vault, now=now)
    metrics.attempts.labels("success").inc()
    tokens = make_tokens(user, tenant, started, vault=vault, now=now)
    return SignedInRead(**tokens.model_dump(), user=users.to_read(user, vault=vault))


async def _find_tenant(transactions: Transactions, wanted: SignInCreate) -> Tenant | None:
    async with transactions.open(None) as session:
        return await tenants.find_by_slug(session, wanted.tenant)


async def _find_account(
    transactions: Transactions, tenant: Tenant, email: str, *, vault: Vault, now: datetime
) -> Account:
    """Count the attempt and return the account. Raises TooManySignIns."""
    index = vault.emails.of(lookup_form(email), tenant.id)
    async with transactions.open(tenant.id) as session:
        attempts = await queries.count_attempt(session, index, now, ATTEMPT_WINDOW)
        user = await users.find_by_email(session, email, tenant_id=tenant.id, vault=vault)
        if is_first_throttled(attempts.number):
            journal.record(session, SignInThrottled(account=index.hex()))
    if is_throttled(attempts.number):
        metrics.attempts.labels("throttled").inc()
        metrics.failed_attempts.labels("throttled").inc()
        raise TooManySignIns(retry_after_s(attempts.window_started_at, now))
    return Account(tenant, index, user)


async def _check_password(
    transactions: Transactions, account: Account, password: str, *, vault: Vault
) -> User:
    """Return the account's user. Raises InvalidCredentials, AccountLocked."""
    user = account.user
    matches = await vault.passwords.verify(user.password_hash if user else None, password)
    if user is None:
        raise await _failure(transactions, account, "unknown_account")
    if not matches:
        raise await _failure(transactions, account, "wrong_password")
    if user.locked_at is not None:
        raise await _failure(transactions, account, "locked")
    return user


async def _hash_anew_if_outdated(user: User, password: str, *, vault: Vault) -> str | None:
    if vault.passwords.is_outdated(user.password_hash):
        return await vault.passwords.hash(password)
    return None


async def _start_session(
    transactions: Transactions,
    account: Account,
    checked: User,
    renewed_hash: str | None,
    *,
    vault: Vault,
    now: datetime,
) -> tuple[User, UserSession]:
    """Return the user as he is now, and his new session. Raises AccountLocked.

    While the password was checked, an administrator may have locked him or changed his role.
    """
    async with transactions.open(account.tenant.id, f"user:{checked.id}") as session:
        user = await users.find_user(session, checked.id, lock=True)
        if user is not None and user.locked_at is None:
            await queries.forget_attempts(session, account.index)
            if renewed_hash is not None:
                await users.renew_hash(session, user.id, renewed_hash)
            started = _new_session(user, vault=vault, now=now)
            session.add(started)
            journal.record(session, UserSignedIn.of(started))
            return user, started
    raise await _failure(transactions, account, "locked")


def _new_session(user: User, *, vault: Vault, now: datetime) -> UserSession:
    return UserSession(
        id=new_id(),
        user_id=user.id,
        counter=0,
        methods=list(PASSWORD_ONLY),
        started_at=now,
        refreshed_at=now,
        expires_at=expiry_of(now, now, vault=vault),
    )


async def _failure(transactions: Transactions, account: Account, reason: RefusalReason) -> Problem:
    """Journal the failure, which stays though the request is refused, and return the refusal."""
    async with transactions.open(account.tenant.id) as session:
        user_id = account.user.id if account.user else None
        entry = SignInFailed(account=account.index.hex(), user_id=user_id, reason=reason)
        journal.record(session, entry)
    return _refusal(reason)


def _refusal(reason: RefusalReason | Literal["unknown_tenant"]) -> Problem:
    metrics.attempts.labels("failure").inc()
    metrics.failed_attempts.labels(reason).inc()
    return AccountLocked() if reason == "locked" else InvalidCredentials()
