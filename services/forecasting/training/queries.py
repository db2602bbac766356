from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecasting.training.models import Job, JobItem
from services.forecasting.training.rules import State

PENDING = (State.QUEUED.value, State.RUNNING.value)


async def find_job(session: AsyncSession, job_id: UUID, *, lock: bool = False) -> Job | None:
    """Return the job; with `lock`, nobody else changes it or its items until the end."""
    query = select(Job).where(Job.id == job_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def find_item(session: AsyncSession, job_item_id: UUID) -> JobItem | None:
    return await session.scalar(select(JobItem).where(JobItem.id == job_item_id))


async def refresh(session: AsyncSession, item: JobItem) -> None:
    """Read an item again, once its job is locked."""
    await session.refresh(item)


async def add_items(session: AsyncSession, items: Sequence[dict[str, Any]]) -> None:
    await session.execute(insert(JobItem), list(items))


async def list_jobs(session: AsyncSession, *, before: UUID | None, limit: int) -> Sequence[Job]:
    """Return jobs, newest first."""
    query = select(Job).order_by(Job.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Job.id < before)
    return (await session.scalars(query)).all()


async def list_outcomes(session: AsyncSession, job_id: UUID) -> Sequence[RowMapping]:
    """Return the finished items of a job with the models they brought, in order of code."""
    return (await session.execute(_OUTCOMES, {"job_id": job_id})).mappings().all()


async def cancel_pending(session: AsyncSession, job_id: UUID) -> list[int]:
    """Cancel what is not finished of a job and return the queue's ids of it."""
    found = await session.scalars(
        update(JobItem)
        .where(JobItem.job_id == job_id, JobItem.state.in_(PENDING))
        .values(state=State.CANCELLED.value)
        .returning(JobItem.queue_id)
        .execution_options(synchronize_session=False)
    )
    return list(found)


async def list_orphans(session: AsyncSession) -> Sequence[RowMapping]:
    """Return (tenant_id, id) of unfinished items of any tenant that left the queue."""
    return (await session.execute(_ORPHANS)).mappings().all()


async def is_queued(session: AsyncSession, queue_id: int) -> bool:
    """Say whether the queue holds this entry."""
    return bool(await session.scalar(_IS_QUEUED, {"queue_id": queue_id}))


async def count_queued(session: AsyncSession) -> Sequence[RowMapping]:
    """Return (kind, count) of the entries that wait in the queue."""
    return (await session.execute(_COUNT_QUEUED)).mappings().all()


async def forget_queue_log(session: AsyncSession) -> None:
    """Delete what PgQueuer noted of entries long done."""
    await session.execute(_FORGET_LOG)


_OUTCOMES = text("""
    SELECT i.item_code, i.state, i.error, m.id AS model_id, m.version, m.model_type,
           m.accuracy, m.beats_baseline
    FROM job_items i LEFT JOIN models m ON m.job_item_id = i.id
    WHERE i.job_id = :job_id AND i.state IN ('succeeded', 'failed') ORDER BY i.item_code""")
_ORPHANS = text("SELECT tenant_id, id FROM orphaned_job_items()")
_IS_QUEUED = text("SELECT true FROM pgqueuer WHERE id = :queue_id")
_COUNT_QUEUED = text("""
    SELECT entrypoint AS kind, count(*) AS count FROM pgqueuer
    WHERE status = 'queued' GROUP BY entrypoint""")
_FORGET_LOG = text("SELECT forget_queue_log()")
