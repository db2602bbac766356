from typing import Annotated

from fastapi import Depends, Query

from services.auth.passwords.errors import PasswordCommon, PasswordTooLong, PasswordTooShort
from services.auth.resources import Secrets
from services.auth.tenants import service
from services.auth.tenants.errors import TenantSlugTaken
from services.auth.tenants.schemas import TenantCreate, TenantPage, TenantRead
from services.auth.users.errors import EmailTaken
from shared.pagination import InvalidCursor, PageQuery
from shared.principal import Principal
from shared.web import Now, Session, feature_router, problems, requires
from shared.web.route import SmallRoute

router = feature_router("/api/tenants", "tenants", route_class=SmallRoute)

CanManage = Annotated[Principal, Depends(requires("tenant:manage"))]
CanManageNow = Annotated[Principal, Depends(requires("tenant:manage", fresh=True))]


@router.get("", responses=problems(InvalidCursor))
async def list_tenants(
    asked: Annotated[PageQuery, Query()], session: Session, _caller: CanManage
) -> TenantPage:
    """List tenants.

    All of this installation, oldest first.
    """
    return await service.list_tenants(session, asked)


@router.post(
    "",
    status_code=201,
    responses=problems(
        TenantSlugTaken, EmailTaken, PasswordTooShort, PasswordTooLong, PasswordCommon
    ),
)
async def add_tenant(
    body: TenantCreate, session: Session, vault: Secrets, caller: CanManageNow, now: Now
) -> TenantRead:
    """Create a tenant.

    With its first administrator.
    """
    tenant = await service.add_tenant(session, body, vault=vault, caller=caller, now=now)
    return TenantRead.model_validate(tenant)
