from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.limits.models import TenantLimit


async def find_limit(session: AsyncSession, tenant_id: UUID) -> TenantLimit | None:
    return await session.get(TenantLimit, tenant_id)


async def list_limits(session: AsyncSession) -> dict[str, int]:
    rows = await session.execute(select(TenantLimit.id, TenantLimit.requests_per_minute))
    return {str(row.id): row.requests_per_minute for row in rows}
