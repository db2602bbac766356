from typing import Annotated

from fastapi import Depends

from services.auth.errors import (
    EmailTaken,
    PasswordCommon,
    PasswordTooLong,
    PasswordTooShort,
    TenantSlugTaken,
)
from services.auth.resources import Secrets
from services.auth.tenants import service
from services.auth.tenants.schemas import TenantCreate, TenantRead
from shared.pagination import Cursor, InvalidCursor, Limit
from shared.principal import Principal
from shared.schemas import Page
from shared.web import Now, Session, problems, requires
from shared.web.app import feature_router

router = feature_router("/api/tenants", "tenants")

PlatformAdministrator = Annotated[Principal, Depends(requires("tenant:manage"))]


@router.post(
    "",
    status_code=201,
    responses=problems(
        TenantSlugTaken, EmailTaken, PasswordTooShort, PasswordTooLong, PasswordCommon
    ),
)
async def create_tenant(
    body: TenantCreate, session: Session, vault: Secrets, actor: PlatformAdministrator, now: Now
) -> TenantRead:
    """Create a tenant with its first administrator."""
    tenant = await service.create_with_administrator(
        session, body, vault=vault, actor=actor, now=now
    )
    return TenantRead.model_validate(tenant)


@router.get("", responses=problems(InvalidCursor))
async def list_tenants(
    session: Session, _actor: PlatformAdministrator, cursor: Cursor = None, limit: Limit = 50
) -> Page[TenantRead]:
    """List the tenants of this installation, oldest first."""
    tenants, next_cursor = await service.page(session, cursor, limit)
    items = [TenantRead.model_validate(tenant) for tenant in tenants]
    return Page[TenantRead](items=items, next_cursor=next_cursor)
