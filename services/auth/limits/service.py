"""Limits of single tenants, which the gateway keeps to: it learns them with the revocations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.limits import queries
from services.auth.limits.models import TenantLimit
from services.auth.limits.schemas import TenantLimitsRead, TenantLimitsUpdate
from services.auth.tenants import service as tenants
from shared import journal
from shared.contracts.auth.tenants import TenantLimitsSet


async def get_limits(session: AsyncSession, tenant_id: UUID) -> TenantLimitsRead:
    """Return what the platform's administrator has set for a tenant. Raises TenantNotFound."""
    tenant = await tenants.get_tenant(session, tenant_id)
    limit = await queries.find_limit(session, tenant.id)
    return TenantLimitsRead(
        tenant_id=tenant.id, requests_per_minute=limit and limit.requests_per_minute
    )


async def change_limits(
    session: AsyncSession, tenant_id: UUID, wanted: TenantLimitsUpdate, *, now: datetime
) -> TenantLimitsRead:
    """Set a tenant's limits, or let this installation's own hold again. Raises TenantNotFound."""
    tenant = await tenants.get_tenant(session, tenant_id)
    limit = await queries.find_limit(session, tenant.id)
    if wanted.requests_per_minute is None:
        if limit is not None:
            await session.delete(limit)
    elif limit is None:
        session.add(
            TenantLimit(
                id=tenant.id, requests_per_minute=wanted.requests_per_minute, changed_at=now
            )
        )
    else:
        limit.requests_per_minute = wanted.requests_per_minute
        limit.changed_at = now
    journal.record(
        session,
        TenantLimitsSet(
            tenant_id=tenant.id,
            slug=tenant.slug,
            requests_per_minute=wanted.requests_per_minute,
        ),
    )
    return TenantLimitsRead(tenant_id=tenant.id, requests_per_minute=wanted.requests_per_minute)


async def list_limits(session: AsyncSession) -> dict[str, int]:
    """Return the requests a minute of the tenants that have a limit of their own, by their id."""
    return await queries.list_limits(session)
