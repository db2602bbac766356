from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def get_tenant_voice(session: AsyncSession, tenant_id: UUID) -> tuple[str, str]:
    """Return the name of a tenant and the language of members who have set none."""
    row = (await session.execute(_TENANT, {"id": tenant_id})).one()
    return row.name, row.language


_TENANT = text("SELECT name, language FROM tenants WHERE id = :id")
