from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.legal_holds.models import LegalHold
from services.auth.legal_holds.rules import HoldKind


async def lock_hold(session: AsyncSession, hold_id: UUID) -> LegalHold | None:
    query = select(LegalHold).where(LegalHold.id == hold_id)
    return await session.scalar(
        query.with_for_update(key_share=True).execution_options(populate_existing=True)
    )


async def list_holds(
    session: AsyncSession, *, after: tuple[UUID] | None, limit: int
) -> Sequence[LegalHold]:
    query = select(LegalHold).order_by(LegalHold.id).limit(limit)
    if after is not None:
        query = query.where(LegalHold.id > after[0])
    return (await session.scalars(query)).all()


async def list_keeping(
    session: AsyncSession, kind: HoldKind, since: date, until: date
) -> Sequence[UUID]:
    """Return the tenant's holds in force on something of this kind from one day to another."""
    query = select(LegalHold.id).where(
        LegalHold.lifted_at.is_(None),
        or_(LegalHold.kind.is_(None), LegalHold.kind == kind),
        or_(LegalHold.first_day.is_(None), LegalHold.first_day <= until),
        or_(LegalHold.last_day.is_(None), LegalHold.last_day >= since),
    )
    return (await session.scalars(query.order_by(LegalHold.id))).all()


async def list_active(session: AsyncSession) -> Sequence[RowMapping]:
    """Return the holds of all tenants that are in force."""
    return (await session.execute(_ACTIVE)).mappings().all()


_ACTIVE = text("""
    SELECT id, tenant_id, kind, first_day, last_day FROM active_legal_holds() ORDER BY id""")
