from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecasting.models.models import Model
from services.forecasting.models.rules import Status


async def find_model(session: AsyncSession, model_id: UUID) -> Model | None:
    return await session.scalar(select(Model).where(Model.id == model_id))


async def lock_models_of(session: AsyncSession, item_id: UUID) -> None:
    """Let nobody else add or activate models of an item until the transaction ends."""
    await session.execute(_LOCK_ITEM, {"item_id": str(item_id)})


async def next_version(session: AsyncSession, item_id: UUID) -> int:
    newest = await session.scalar(select(func.max(Model.version)).where(Model.item_id == item_id))
    return (newest or 0) + 1


async def set_status(session: AsyncSession, model_id: UUID, status: Status) -> None:
    await session.execute(update(Model).where(Model.id == model_id).values(status=status.value))


async def archive_active(session: AsyncSession, item_id: UUID) -> None:
    """Archive the active model of an item, if there is one."""
    await session.execute(
        update(Model)
        .where(Model.item_id == item_id, Model.status == Status.ACTIVE.value)
        .values(status=Status.ARCHIVED.value)
    )


async def list_models(
    session: AsyncSession,
    *,
    item_id: UUID | None,
    status: Status | None,
    before: UUID | None,
    limit: int,
) -> Sequence[Model]:
    """Return models, newest first."""
    query = select(Model).order_by(Model.id.desc()).limit(limit)
    if item_id is not None:
        query = query.where(Model.item_id == item_id)
    if status is not None:
        query = query.where(Model.status == status.value)
    if before is not None:
        query = query.where(Model.id < before)
    return (await session.scalars(query)).all()


async def list_active(session: AsyncSession) -> Sequence[RowMapping]:
    """Return (item, model_type, mape) of every tenant's active models, the worst first."""
    return (await session.execute(_ACTIVE)).mappings().all()


_LOCK_ITEM = text("""
    SELECT wait_lock('models ' || current_setting('app.tenant') || ' ' || :item_id)""")
_ACTIVE = text("SELECT item, model_type, mape FROM active_models()")
