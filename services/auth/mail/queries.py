from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.mail.models import MailRow


async def list_due(
    session: AsyncSession, now: datetime, *, limit: int
) -> Sequence[tuple[UUID, UUID]]:
    """Return (tenant, id) of the mails of all tenants that are due, the longest due first."""
    rows = await session.execute(_DUE, {"at": now, "most": limit})
    return [(row.tenant_id, row.id) for row in rows]


async def take(session: AsyncSession, mail_id: UUID, now: datetime) -> MailRow | None:
    """Return a mail that is due, held; None if another process has it."""
    query = select(MailRow).where(MailRow.id == mail_id, MailRow.due_at <= now)
    return await session.scalar(query.with_for_update(skip_locked=True))


async def list_all(session: AsyncSession) -> Sequence[MailRow]:
    """Return all mails of the tenant that wait."""
    return (await session.scalars(select(MailRow).order_by(MailRow.id))).all()


async def find(session: AsyncSession, mail_id: UUID) -> MailRow | None:
    return await session.scalar(select(MailRow).where(MailRow.id == mail_id))


_DUE = text("SELECT tenant_id, id FROM due_mails(:at, :most)")
