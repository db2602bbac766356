"""Attempts to prove who one is, counted before anything is looked at."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.throttle import metrics, queries
from services.auth.throttle.errors import TooManySignIns
from services.auth.throttle.rules import (
    NETWORKS_KNOWN_MAX,
    POLICIES,
    Kind,
    Policy,
    judge,
    known_key,
    mail_key,
    network_key,
)
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.sessions import CredentialStuffingSuspected, SignInThrottled
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.errors import Problem
from shared.principal import Device


async def count_attempt(
    session: AsyncSession,
    account: bytes,
    user_id: UUID | None,
    *,
    device: Device,
    vault: Vault,
    now: datetime,
) -> Problem | None:
    """Count an attempt on an account, which need not exist; return why it is not looked at.

    From a network that the account's user has signed in from, attempts are counted apart: whoever
    guesses elsewhere keeps nobody out. The transaction must end with a commit.
    """
    network = network_key(device.address, vault.network_pepper)
    known = await queries.list_known_networks(session, user_id or DEFAULT_TENANT_ID)
    kind: Kind = "known" if network in known else "account"
    key = known_key(account, network) if kind == "known" else account
    refused = await _count(session, kind, key, account=account, now=now)
    return refused or await _count_network(session, network, vault=vault, now=now)


async def count_code(session: AsyncSession, user_id: UUID, *, now: datetime) -> Problem | None:
    """Count an attempt at a user's second factor; return why it is not looked at."""
    return await _count(session, "code", _codes_of(user_id), account=_codes_of(user_id), now=now)


async def may_mail(session: AsyncSession, address: bytes, about: str, *, now: datetime) -> bool:
    """Count a mail that anybody may ask for, to an address (its index); say whether it may go."""
    row = await queries.lock_tally(session, "mail", mail_key(address, about), now)
    verdict = judge(queries.tally_of(row), now, POLICIES["mail"])
    queries.note(row, verdict.tally)
    return verdict.allowed


async def forgive(
    session: AsyncSession,
    account: bytes,
    user_id: UUID,
    *,
    device: Device,
    vault: Vault,
    now: datetime,
) -> None:
    """Forget the attempts of somebody who has proved who he is, and remember from where."""
    network = network_key(device.address, vault.network_pepper)
    await queries.forget(session, "account", [account])
    await queries.forget(session, "known", [known_key(account, network)])
    await queries.take_one_back(session, network)
    await queries.remember_network(session, user_id, network, now)
    known = await queries.list_known_networks(session, user_id)
    await queries.forget_networks(session, user_id, known[NETWORKS_KNOWN_MAX:])


async def forgive_codes(session: AsyncSession, user_id: UUID) -> None:
    """Forget the attempts at a second factor of somebody who had it."""
    await queries.forget(session, "code", [_codes_of(user_id)])


async def unblock(session: AsyncSession, account: bytes, user_id: UUID) -> None:
    """Forget all attempts on an account, as an administrator wants it."""
    known = await queries.list_known_networks(session, user_id)
    await queries.forget(session, "account", [account])
    await queries.forget(session, "known", [known_key(account, network) for network in known])
    await forgive_codes(session, user_id)


async def forget_account(
    session: AsyncSession, account: bytes, user_id: UUID, *, mailed: Iterable[str]
) -> None:
    """Forget all that is counted of an account, and from where its user came.

    `mailed` are the things about which anybody may have mails sent to it.
    """
    await unblock(session, account, user_id)
    await queries.forget(session, "mail", [mail_key(account, about) for about in mailed])
    known = await queries.list_known_networks(session, user_id)
    await queries.forget_networks(session, user_id, known)


async def _count(
    session: AsyncSession, kind: Kind, key: bytes, *, account: bytes, now: datetime
) -> Problem | None:
    row = await queries.lock_tally(session, kind, key, now)
    verdict = judge(queries.tally_of(row), now, POLICIES[kind])
    queries.note(row, verdict.tally)
    if verdict.begins:
        journal.record(session, SignInThrottled(account=account.hex()))
    if verdict.allowed:
        return None
    metrics.throttled.labels(kind).inc()
    return TooManySignIns(verdict.wait_s(now))


async def _count_network(
    session: AsyncSession, network: bytes, *, vault: Vault, now: datetime
) -> Problem | None:
    policy = Policy(free=vault.settings.sign_in_attempts_per_network)
    row = await queries.lock_network_tally(session, network, now)
    verdict = judge(queries.tally_of(row), now, policy)
    queries.note(row, verdict.tally)
    if verdict.begins:
        journal.record(session, CredentialStuffingSuspected(network=network.hex()))
    if verdict.allowed:
        return None
    metrics.throttled.labels("network").inc()
    return TooManySignIns(verdict.wait_s(now))


def _codes_of(user_id: UUID) -> bytes:
    return user_id.bytes.ljust(32, b"\0")
