from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.auth.passwords.errors import PasswordCommon, PasswordTooLong, PasswordTooShort
from services.auth.requests import Secrets
from services.auth.tenants import service
from services.auth.tenants.errors import CurrencyFixed, TenantNotFound, TenantSlugTaken
from services.auth.tenants.schemas import TenantCreate, TenantPage, TenantRead, TenantUpdate
from services.auth.users.errors import EmailTaken
from shared.pagination import InvalidCursor, PageQuery
from shared.principal import Principal
from shared.web import Now, Session, feature_router, problems, requires
from shared.web.etag import IfMatch
from shared.web.route import SmallRoute

router = feature_router("/api/tenants", "tenants", route_class=SmallRoute)

CanManage = Annotated[Principal, Depends(requires("tenant:manage"))]
CanManageNow = Annotated[Principal, Depends(requires("tenant:manage", fresh=True))]
CanManageOwn = Annotated[Principal, Depends(requires("user:manage"))]
CanManageOwnNow = Annotated[Principal, Depends(requires("user:manage", fresh=True))]


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


@router.get("/current", responses=problems(TenantNotFound))
async def get_own_tenant(session: Session, caller: CanManageOwn) -> TenantRead:
    """Read your own tenant's settings."""
    return TenantRead.model_validate(await service.get_tenant(session, caller.tenant_id))


@router.patch("/current", responses=problems(TenantNotFound, CurrencyFixed))
async def change_own_tenant(
    body: TenantUpdate,
    session: Session,
    caller: CanManageOwnNow,
    now: Now,
    if_match: IfMatch = None,
) -> TenantRead:
    """Change your own tenant's settings.

    Where everybody must have a second factor from now on, who came in without one is signed out
    within a second, and sets one up when signing in again.
    """
    tenant = await service.change_tenant(
        session, caller.tenant_id, body, if_match, caller=caller, now=now
    )
    return TenantRead.model_validate(tenant)


@router.get("/{tenant_id:uuid}", responses=problems(TenantNotFound))
async def get_tenant(tenant_id: UUID, session: Session, _caller: CanManage) -> TenantRead:
    """Read a tenant's settings."""
    return TenantRead.model_validate(await service.get_tenant(session, tenant_id))


@router.patch("/{tenant_id:uuid}", responses=problems(TenantNotFound, CurrencyFixed))
async def change_tenant(
    tenant_id: UUID,
    body: TenantUpdate,
    session: Session,
    caller: CanManageNow,
    now: Now,
    if_match: IfMatch = None,
) -> TenantRead:
    """Change a tenant's settings.

    As its own administrator could; it stands in that tenant's journal.
    """
    tenant = await service.change_tenant(session, tenant_id, body, if_match, caller=caller, now=now)
    return TenantRead.model_validate(tenant)
