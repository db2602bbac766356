"""Two paths to the same: of one's own tenant, and of a tenant that the platform helps."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.auth.device_recovery import service
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
from services.auth.device_recovery.schemas import FactorRecoveryRead
from services.auth.requests import KeylessTransactions, Secrets
from services.auth.tenants.errors import TenantNotFound
from services.auth.transactions import Transactions
from services.auth.users.errors import AccountClosed, UserNotFound
from services.auth.vault import Vault
from shared.principal import Principal
from shared.web import Now, feature_router, problems, requires
from shared.web.route import SmallRoute

router = feature_router("/api/users", "users", route_class=SmallRoute)
platform = feature_router("/api/tenants", "tenants", route_class=SmallRoute)

CanManage = Annotated[Principal, Depends(requires("user:manage"))]
CanManageNow = Annotated[Principal, Depends(requires("user:manage", fresh=True))]
CanHelp = Annotated[Principal, Depends(requires("tenant:manage"))]
CanHelpNow = Annotated[Principal, Depends(requires("tenant:manage", fresh=True))]

_REQUEST_REFUSALS = (
    UserNotFound,
    AccountClosed,
    OwnRecovery,
    NothingToRecover,
    RecoveryPending,
)
_APPROVAL_REFUSALS = (
    UserNotFound,
    AccountClosed,
    RecoveryNotFound,
    OwnRecovery,
    SecondPersonNeeded,
    RequesterGone,
    AdministratorTooNew,
    TenantNotFound,
)


@router.get("/{user_id}/factor-recovery", responses=problems(UserNotFound, RecoveryNotFound))
async def get_factor_recovery(
    user_id: UUID, caller: CanManage, transactions: KeylessTransactions, now: Now
) -> FactorRecoveryRead:
    """Read the open request to recover a user.

    Who asked, and until when another administrator may approve.
    """
    return await _get(caller.tenant_id, user_id, caller, transactions, now)


@router.post("/{user_id}/factor-recovery", status_code=201, responses=problems(*_REQUEST_REFUSALS))
async def request_factor_recovery(
    user_id: UUID, caller: CanManageNow, transactions: KeylessTransactions, vault: Secrets, now: Now
) -> FactorRecoveryRead:
    """Ask to recover a lost second factor.

    Make sure that it is the user who asks you. Another administrator must approve within a day;
    the user and all administrators are told by mail.
    """
    return await _request(caller.tenant_id, user_id, caller, transactions, vault, now)


@router.post(
    "/{user_id}/factor-recovery/approve",
    status_code=204,
    responses=problems(*_APPROVAL_REFUSALS),
)
async def approve_factor_recovery(
    user_id: UUID, caller: CanManageNow, transactions: KeylessTransactions, vault: Secrets, now: Now
) -> None:
    """Approve the recovery of a second factor.

    The user's factors are removed, all sessions end and API keys are revoked; at the next sign-in
    the user sets up another factor. Neither the user nor who asked can approve; who asks and who
    approves have both been administrators for a week, unless the tenant is younger.
    """
    await service.approve_recovery(
        transactions, caller.tenant_id, user_id, vault=vault, caller=caller, now=now
    )


@router.delete(
    "/{user_id}/factor-recovery",
    status_code=204,
    responses=problems(UserNotFound, RecoveryNotFound),
)
async def end_factor_recovery(
    user_id: UUID, caller: CanManageNow, transactions: KeylessTransactions, now: Now
) -> None:
    """Withdraw or decline a recovery.

    Withdraws your own request, declines another's.
    """
    await _end(caller.tenant_id, user_id, caller, transactions, now)


@platform.get(
    "/{tenant_id}/users/{user_id}/factor-recovery",
    responses=problems(UserNotFound, RecoveryNotFound, TenantsOwnAffair),
)
async def get_factor_recovery_of_tenant(
    tenant_id: UUID, user_id: UUID, caller: CanHelp, transactions: KeylessTransactions, now: Now
) -> FactorRecoveryRead:
    """Read a recovery in another tenant.

    For administrators of the platform, where the tenant has not two other administrators.
    """
    return await _get(tenant_id, user_id, caller, transactions, now)


@platform.post(
    "/{tenant_id}/users/{user_id}/factor-recovery",
    status_code=201,
    responses=problems(*_REQUEST_REFUSALS, TenantsOwnAffair),
)
async def request_factor_recovery_of_tenant(
    tenant_id: UUID,
    user_id: UUID,
    caller: CanHelpNow,
    transactions: KeylessTransactions,
    vault: Secrets,
    now: Now,
) -> FactorRecoveryRead:
    """Ask for a recovery in another tenant.

    For administrators of the platform, where the tenant has not two other administrators.
    """
    return await _request(tenant_id, user_id, caller, transactions, vault, now)


@platform.post(
    "/{tenant_id}/users/{user_id}/factor-recovery/approve",
    status_code=204,
    responses=problems(*_APPROVAL_REFUSALS, TenantsOwnAffair),
)
async def approve_factor_recovery_of_tenant(
    tenant_id: UUID,
    user_id: UUID,
    caller: CanHelpNow,
    transactions: KeylessTransactions,
    vault: Secrets,
    now: Now,
) -> None:
    """Approve a recovery in another tenant.

    For administrators of the platform, where the tenant has not two other administrators.
    """
    await service.approve_recovery(
        transactions, tenant_id, user_id, vault=vault, caller=caller, now=now
    )


@platform.delete(
    "/{tenant_id}/users/{user_id}/factor-recovery",
    status_code=204,
    responses=problems(UserNotFound, RecoveryNotFound, TenantsOwnAffair),
)
async def end_factor_recovery_of_tenant(
    tenant_id: UUID, user_id: UUID, caller: CanHelpNow, transactions: KeylessTransactions, now: Now
) -> None:
    """End a recovery in another tenant.

    Withdraws your own request, declines another's.
    """
    await _end(tenant_id, user_id, caller, transactions, now)


async def _get(
    tenant_id: UUID, user_id: UUID, caller: Principal, transactions: Transactions, now: datetime
) -> FactorRecoveryRead:
    async with transactions.open_as(caller, tenant_id=tenant_id) as session:
        found = await service.get_recovery(session, user_id, caller=caller, now=now)
        return FactorRecoveryRead.model_validate(found)


async def _request(
    tenant_id: UUID,
    user_id: UUID,
    caller: Principal,
    transactions: Transactions,
    vault: Vault,
    now: datetime,
) -> FactorRecoveryRead:
    async with transactions.open_as(caller, tenant_id=tenant_id) as session:
        made = await service.request_recovery(session, user_id, vault=vault, caller=caller, now=now)
        return FactorRecoveryRead.model_validate(made)


async def _end(
    tenant_id: UUID, user_id: UUID, caller: Principal, transactions: Transactions, now: datetime
) -> None:
    async with transactions.open_as(caller, tenant_id=tenant_id) as session:
        await service.end_recovery(session, user_id, caller=caller, now=now)
