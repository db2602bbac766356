from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.auth.limits import service
from services.auth.limits.schemas import TenantLimitsRead, TenantLimitsUpdate
from services.auth.tenants.errors import TenantNotFound
from shared.principal import Principal
from shared.web import Now, Session, feature_router, problems, requires
from shared.web.route import SmallRoute

router = feature_router("/api/tenants", "tenants", route_class=SmallRoute)

CanManage = Annotated[Principal, Depends(requires("tenant:manage"))]
CanManageNow = Annotated[Principal, Depends(requires("tenant:manage", fresh=True))]


@router.get("/{tenant_id:uuid}/limits", responses=problems(TenantNotFound))
async def get_tenant_limits(
    tenant_id: UUID, session: Session, _caller: CanManage
) -> TenantLimitsRead:
    """Read the rate limit of a tenant.

    How many requests a minute its users may make together.
    """
    return await service.get_limits(session, tenant_id)


@router.put("/{tenant_id:uuid}/limits", responses=problems(TenantNotFound))
async def change_tenant_limits(
    tenant_id: UUID, body: TenantLimitsUpdate, session: Session, _caller: CanManageNow, now: Now
) -> TenantLimitsRead:
    """Set the rate limit of a tenant.

    The gateway keeps to it within a second.
    """
    return await service.change_limits(session, tenant_id, body, now=now)
