"""Proving who one is: the password and, where there is one, the second factor.

Each attempt is counted before anything is looked at, so parallel guesses get no further than the
limit; no connection is held while hashing. An unknown account takes the same steps and the same
time. What was proved holds in one transaction alone, with the user's row held: the account may
have got another password while the one given was hashed.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.factors import service as factors
from services.auth.factors.errors import PasskeyRefused, TwoFactorCodeWrong, TwoFactorRequired
from services.auth.factors.rules import Kind, Method
from services.auth.passwords.rules import normalised
from services.auth.sessions import metrics
from services.auth.sessions.errors import (
    AccountLocked,
    AddressUnverified,
    ApprovalPending,
    InvalidCredentials,
    PasswordWrong,
)
from services.auth.sessions.schemas import PasskeyAnswer, ProofInput
from services.auth.tenants.models import Tenant
from services.auth.throttle import service as throttle
from services.auth.transactions import Transactions
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.users.rules import Status
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.factors import TwoFactorRefused
from shared.contracts.auth.sessions import RefusalReason, SignInFailed
from shared.errors import Problem
from shared.principal import Device

# Why somebody with the right password does not get in.
_BARRED: Mapping[Status, RefusalReason] = {
    "deactivated": "deactivated",
    "locked": "locked",
    "invited": "unverified",
    "unverified": "unverified",
    "pending": "unapproved",
}
# What is told to who gave the right password; all else looks the same.
_TOLD: Mapping[str, type[Problem]] = {
    "locked": AccountLocked,
    "unverified": AddressUnverified,
    "unapproved": ApprovalPending,
}


@dataclass(frozen=True, slots=True)
class Account:
    """What a proof is tried on: it counts attempts whether there is a user or not."""

    tenant: Tenant
    index: bytes  # The blind index of the address.
    user: User | None
    is_own: bool = False  # Of somebody who is signed in, so that only the password can be wrong.


class FactorGiven(Protocol):
    """A body that may prove a second factor."""

    @property
    def code(self) -> str | None: ...

    @property
    def passkey(self) -> PasskeyAnswer | None: ...


@dataclass(frozen=True, slots=True)
class Proof:
    """Who it is, how he proved it, and the transaction in which that holds."""

    session: AsyncSession
    user: User  # Locked.
    methods: tuple[str, ...]  # As in the token's `amr`.


@asynccontextmanager
async def prove(
    transactions: Transactions,
    account: Account,
    given: ProofInput,
    *,
    bound_to: UUID | None,
    vault: Vault,
    now: datetime,
) -> AsyncIterator[Proof]:
    """Check password and second factor of an account whose attempt is counted.

    What a passkey signs is good for the session `bound_to` alone, or for a sign-in.

    Raises InvalidCredentials, AccountLocked, TwoFactorRequired, TwoFactorCodeWrong, PasskeyRefused,
    TooManySignIns.
    """
    password = normalised(given.password.get_secret_value())
    verified = await check_password(transactions, account, password, vault=vault)
    outdated = vault.passwords.is_outdated(verified.password_hash)
    renewed = await vault.passwords.hash(password) if outdated else None
    async with hold_verified(transactions, account, verified) as (session, user):
        method = await check_factor(session, user, given, bound_to=bound_to, vault=vault, now=now)
        if not isinstance(method, Problem):
            if renewed is not None:
                user.password_hash = renewed
            yield Proof(session, user, ("pwd",) if method is None else ("pwd", method))
            return
    raise method


@asynccontextmanager
async def hold_verified(
    transactions: Transactions, account: Account, verified: User
) -> AsyncIterator[tuple[AsyncSession, User]]:
    """Open a transaction with the row held of the user whose password was verified.

    A password that is not his any more is a wrong one, and so is one from before all sessions were
    ended. Raises InvalidCredentials, AccountLocked.
    """
    async with transactions.open(account.tenant.id, f"user:{verified.id}") as session:
        user = await users.find_user(session, verified.id, lock=True)
        reason = _objection_to(user, verified)
        if user is not None and reason is None:
            yield session, user
            return
    raise await failure(transactions, account, reason or "unknown_account")


def _objection_to(user: User | None, verified: User) -> RefusalReason | None:
    """Return why the user is not let in by what was verified of him before his row was held."""
    if user is None:
        return "unknown_account"
    proved = verified.password_hash, verified.sessions_ended_at
    if (user.password_hash, user.sessions_ended_at) != proved:
        return _BARRED.get(users.status_in(user), "wrong_password")
    return _BARRED.get(users.status_in(user))


async def find_account(
    session: AsyncSession,
    tenant: Tenant,
    index: bytes,
    user: User | None,
    *,
    device: Device,
    vault: Vault,
    now: datetime,
) -> Account | Problem:
    """Count an attempt and return on what it is made, or why it is not looked at."""
    refused = await throttle.count_attempt(
        session, index, user.id if user else None, device=device, vault=vault, now=now
    )
    if refused is None:
        return Account(tenant, index, user)
    metrics.attempts.labels("throttled").inc()
    metrics.failed_attempts.labels("throttled").inc()
    return refused


def _refusal(reason: RefusalReason) -> Problem:
    """Count a refusal and return it."""
    metrics.attempts.labels("failure").inc()
    metrics.failed_attempts.labels(reason).inc()
    return _TOLD.get(reason, InvalidCredentials)()


async def failure(transactions: Transactions, account: Account, reason: RefusalReason) -> Problem:
    """Journal the failure, which stays though the request is refused, and return the refusal."""
    async with transactions.open(account.tenant.id) as session:
        user_id = account.user.id if account.user else None
        entry = SignInFailed(account=account.index.hex(), user_id=user_id, reason=reason)
        journal.record(session, entry)
    refusal = _refusal(reason)
    return PasswordWrong() if account.is_own and reason == "wrong_password" else refusal


async def check_password(
    transactions: Transactions, account: Account, password: str, *, vault: Vault
) -> User:
    """Return the user of a normalised password. Raises InvalidCredentials, AccountLocked."""
    user = account.user
    matches = await vault.passwords.verify(user.password_hash if user else None, password)
    if user is None:
        raise await failure(transactions, account, "unknown_account")
    if not matches:
        raise await failure(transactions, account, "wrong_password")
    reason = _BARRED.get(users.status_in(user))
    if reason is not None:
        raise await failure(transactions, account, reason)
    return user


async def check_factor(
    session: AsyncSession,
    user: User,
    given: FactorGiven,
    *,
    bound_to: UUID | None,
    vault: Vault,
    now: datetime,
) -> Method | Problem | None:
    """Return by which second factor a user is proved, None where the account has none.

    The user's row is held. Returned, not raised, since the transaction must end with a commit:
    TwoFactorRequired, TwoFactorCodeWrong, PasskeyRefused, TooManySignIns.
    """
    kinds = await factors.kinds_of(session, user.id)
    if not kinds:
        return None
    if given.code is None and given.passkey is None:
        return await _ask(session, user, kinds, bound_to=bound_to, vault=vault, now=now)
    refused = await throttle.count_code(session, user.id, now=now)
    if refused is not None:
        return refused
    method = await _method_of(session, user, given, bound_to=bound_to, vault=vault, now=now)
    if method is None:
        journal.record(session, TwoFactorRefused(user_id=user.id))
        metrics.attempts.labels("failure").inc()
        metrics.failed_attempts.labels("wrong_code").inc()
        return PasskeyRefused() if given.passkey is not None else TwoFactorCodeWrong()
    await throttle.forgive_codes(session, user.id)
    if method == "recovery":
        await users.tell(session, user, "recovery_code_used", vault=vault, now=now)
    return method


async def _ask(
    session: AsyncSession,
    user: User,
    kinds: tuple[Kind, ...],
    *,
    bound_to: UUID | None,
    vault: Vault,
    now: datetime,
) -> TwoFactorRequired:
    """Return which second factors will do, with what a passkey is to sign."""
    options = None
    if "passkey" in kinds:
        options = await factors.ask_for_passkey(
            session, user.id, bound_to=bound_to, vault=vault, now=now
        )
    return TwoFactorRequired(methods=[*kinds, "recovery"], passkey=options)


async def _method_of(
    session: AsyncSession,
    user: User,
    given: FactorGiven,
    *,
    bound_to: UUID | None,
    vault: Vault,
    now: datetime,
) -> Method | None:
    """Return by which method it was proved, or None; a passkey goes before a code."""
    if given.passkey is not None:
        return await factors.check_passkey(
            session, user.id, given.passkey, bound_to=bound_to, vault=vault, now=now
        )
    code = given.code or ""
    return await factors.check(session, user.id, user.tenant_id, code, vault=vault, now=now)
