from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts.models import Errand


async def list_due(
    session: AsyncSession, now: datetime, *, limit: int
) -> Sequence[tuple[UUID, UUID]]:
    """Return (tenant, id) of the errands of all tenants that are due, the longest due first."""
    rows = await session.execute(_DUE, {"at": now, "most": limit})
    return [(row.tenant_id, row.id) for row in rows]


async def take(session: AsyncSession, errand_id: UUID, now: datetime) -> Errand | None:
    """Return an errand that is due, held; None if another process has it."""
    query = select(Errand).where(Errand.id == errand_id, Errand.due_at <= now)
    return await session.scalar(query.with_for_update(skip_locked=True))


async def list_waiting(session: AsyncSession) -> Sequence[Errand]:
    """Return the tenant's errands that nobody is doing just now, held."""
    query = select(Errand).order_by(Errand.id).with_for_update(skip_locked=True)
    return (await session.scalars(query)).all()


_DUE = text("SELECT tenant_id, id FROM due_errands(:at, :most)")
