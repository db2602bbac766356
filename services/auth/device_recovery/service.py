"""A second factor that was lost: asked for by one administrator, taken away by another.

All steps hold the user's row, so of two at once one finds the other's work done.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.api_keys import service as api_keys
from services.auth.device_recovery import queries
from services.auth.device_recovery.errors import (
    AdministratorTooNew,
    NothingToRecover,
    OwnRecovery,
    RecoveryNotFound,
    RecoveryPending,
    RequesterGone,
    SecondPersonNeeded,
    TenantsOwnAffair,
)
from services.auth.device_recovery.models import FactorRecovery
from services.auth.device_recovery.rules import LIFETIME, is_settled, needs_platform, object_to
from services.auth.factors import service as factors
from services.auth.notices.rules import Notice
from services.auth.tenants import service as tenants
from services.auth.transactions import Transactions
from services.auth.users import service as users
from services.auth.users.errors import AccountClosed
from services.auth.users.models import User
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.factors import (
    FactorRecovered,
    FactorRecoveredByOperator,
    FactorRecoveryEnded,
    FactorRecoveryRequested,
)
from shared.principal import Principal


async def get_recovery(
    session: AsyncSession, user_id: UUID, *, caller: Principal, now: datetime
) -> FactorRecovery:
    """Return the open request of a user.

    Raises UserNotFound, RecoveryNotFound, TenantsOwnAffair.
    """
    user, _ = await _get_user(session, user_id, caller=caller)
    return await _get_open(session, user.id, now)


async def request_recovery(
    session: AsyncSession, user_id: UUID, *, vault: Vault, caller: Principal, now: datetime
) -> FactorRecovery:
    """Ask that a user may begin anew who lost his second factor.

    Another administrator has a day to approve it.
    Raises UserNotFound, AccountClosed, OwnRecovery, NothingToRecover, RecoveryPending,
    TenantsOwnAffair.
    """
    user, administrators = await _get_user(session, user_id, caller=caller)
    _require_open(user)
    _check_person(user, None, caller)
    if not await factors.has_factor(session, user.id):
        raise NothingToRecover
    earlier = await queries.find_recovery(session, user.id)
    if earlier is not None and earlier.expires_at > now:
        raise RecoveryPending
    if earlier is not None:
        await session.delete(earlier)
        await session.flush()  # A user has one at a time.
    wanted = FactorRecovery(
        user_id=user.id,
        requested_by=caller.id,
        requester_tenant_id=caller.tenant_id,
        requested_at=now,
        expires_at=now + LIFETIME,
    )
    session.add(wanted)
    await session.flush()  # The answer and the journal tell its id.
    journal.record(session, FactorRecoveryRequested.of(wanted))
    await users.tell(session, user, "recovery_requested", vault=vault, now=now)
    await _tell_others(
        session, user, administrators, "recovery_requested_of_other", vault=vault, now=now
    )
    return wanted


async def approve_recovery(
    transactions: Transactions,
    tenant_id: UUID,
    user_id: UUID,
    *,
    vault: Vault,
    caller: Principal,
    now: datetime,
) -> None:
    """Take a user's second factors away; his sessions and API keys end, he enrols when he signs in.

    Raises UserNotFound, RecoveryNotFound, AccountClosed, OwnRecovery, SecondPersonNeeded,
    RequesterGone, AdministratorTooNew, TenantsOwnAffair.
    """
    async with transactions.open_as(caller, tenant_id=tenant_id) as session:
        asked = await get_recovery(session, user_id, caller=caller, now=now)
    async with transactions.open(asked.requester_tenant_id, caller.actor) as session:
        requester = await users.find_user(session, asked.requested_by)
        if requester is None or not users.administers(requester):
            raise RequesterGone
        await _require_settled(session, requester, vault=vault, now=now)
    async with transactions.open(caller.tenant_id, caller.actor) as session:
        approver = await users.get_user(session, caller.id)
        await _require_settled(session, approver, vault=vault, now=now)
    async with transactions.open_as(caller, tenant_id=tenant_id) as session:
        user, administrators = await _get_user(session, user_id, caller=caller)
        wanted = await _get_open(session, user.id, now)
        if wanted.id != asked.id:
            raise RecoveryNotFound
        _require_open(user)
        _check_person(user, wanted.requested_by, caller)
        await session.delete(wanted)
        await factors.remove_all(session, user.id)
        users.begin_anew(session, user, now=now)
        await api_keys.revoke_all_keys(session, user.id, now=now)
        entry = FactorRecovered(
            user_id=user.id, requested_by=wanted.requested_by, approved_by=caller.id
        )
        journal.record(session, entry)
        await users.tell(session, user, "recovered", vault=vault, now=now)
        await _tell_others(
            session, user, administrators, "recovered_of_other", vault=vault, now=now
        )


async def recover_by_operator(
    session: AsyncSession, email: str, tenant_id: UUID, *, vault: Vault, now: datetime
) -> bool:
    """Take the second factors away of an administrator who has not two others to turn to.

    For whoever runs the installation. Say whether it was done: there must be such an administrator,
    with a second factor.
    """
    user = await users.find_by_email(session, email, tenant_id=tenant_id, vault=vault)
    if user is None or not users.administers(user):
        return False
    user = await users.get_user(session, user.id, lock=True)
    others = [one for one in await users.list_administrators(session) if one.id != user.id]
    may_help = needs_platform(others_administering=len(others))
    if not may_help or not await factors.has_factor(session, user.id):
        return False
    await factors.remove_all(session, user.id)
    users.begin_anew(session, user, now=now)
    await api_keys.revoke_all_keys(session, user.id, now=now)
    journal.record(session, FactorRecoveredByOperator(user_id=user.id))
    await users.tell(session, user, "recovered_by_operator", vault=vault, now=now)
    await _tell_others(session, user, others, "recovered_of_other", vault=vault, now=now)
    return True


async def end_recovery(
    session: AsyncSession, user_id: UUID, *, caller: Principal, now: datetime
) -> None:
    """Withdraw one's own request, or decline another's.

    Raises UserNotFound, RecoveryNotFound, TenantsOwnAffair.
    """
    user, _ = await _get_user(session, user_id, caller=caller)
    wanted = await _get_open(session, user.id, now)
    await session.delete(wanted)
    entry = FactorRecoveryEnded(
        user_id=user.id,
        requested_by=wanted.requested_by,
        ended_by=caller.id,
        outcome="withdrawn" if wanted.requested_by == caller.id else "declined",
    )
    journal.record(session, entry)


async def _get_user(
    session: AsyncSession, user_id: UUID, *, caller: Principal
) -> tuple[User, Sequence[User]]:
    """Return the user, locked, and the tenant's administrators beside him.

    Raises UserNotFound, and TenantsOwnAffair for one from elsewhere who is not needed.
    """
    user = await users.get_user(session, user_id, lock=True)
    others = [one for one in await users.list_administrators(session) if one.id != user.id]
    is_from_elsewhere = caller.tenant_id != user.tenant_id
    if is_from_elsewhere and not needs_platform(others_administering=len(others)):
        raise TenantsOwnAffair
    return user, others


async def _get_open(session: AsyncSession, user_id: UUID, now: datetime) -> FactorRecovery:
    found = await queries.find_recovery(session, user_id)
    if found is None or found.expires_at <= now:
        raise RecoveryNotFound
    return found


async def _require_settled(
    session: AsyncSession, administrator: User, *, vault: Vault, now: datetime
) -> None:
    """Raise AdministratorTooNew for one who may be another's second account."""
    tenant = await tenants.get_tenant(session, administrator.tenant_id)
    since = users.administers_since(administrator)
    days = vault.settings.recovery_administrator_days
    if not is_settled(since, tenant_since=tenant.created_at, now=now, days=days):
        raise AdministratorTooNew


def _require_open(user: User) -> None:
    """Raise AccountClosed where there is nobody to begin anew."""
    if not users.allows(user, "recover"):
        raise AccountClosed


def _check_person(user: User, requested_by: UUID | None, caller: Principal) -> None:
    """Raise OwnRecovery or SecondPersonNeeded for a caller who cannot be one of the two."""
    objection = object_to(user_id=user.id, requested_by=requested_by, caller_id=caller.id)
    if objection == "own":
        raise OwnRecovery
    if objection == "same_person":
        raise SecondPersonNeeded


async def _tell_others(
    session: AsyncSession,
    user: User,
    administrators: Sequence[User],
    notice: Notice,
    *,
    vault: Vault,
    now: datetime,
) -> None:
    who = users.to_read(user, vault=vault).email or str(user.id)
    for one in administrators:
        await users.tell(session, one, notice, vault=vault, now=now, who=who, user_id=str(user.id))
