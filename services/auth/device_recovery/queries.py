from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.device_recovery.models import FactorRecovery


async def find_recovery(session: AsyncSession, user_id: UUID) -> FactorRecovery | None:
    """Return the user's request, ended or not."""
    query = select(FactorRecovery).where(FactorRecovery.user_id == user_id)
    return await session.scalar(query.execution_options(populate_existing=True))
