"""Asking for training, looking at jobs, cancelling them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecasting import queue
from services.forecasting.consumption import service as consumption
from services.forecasting.consumption.rules import day_of
from services.forecasting.models.schemas import AccuracyRead
from services.forecasting.training import queries
from services.forecasting.training.errors import JobAlreadyFinished, JobNotFound, NothingToTrain
from services.forecasting.training.models import Job
from services.forecasting.training.rules import MESSAGES, ErrorCode, ModelType, State, progress
from services.forecasting.training.schemas import (
    JobError,
    JobPage,
    JobRead,
    JobResult,
    JobSummary,
    TrainingCreate,
)
from shared import journal
from shared.contracts.forecasting.training import JobCancelled, TrainingRequested
from shared.db import Stamp
from shared.i18n import translate
from shared.ids import new_id
from shared.pagination import Keyset, PageQuery

NEWEST = Keyset("newest", UUID)


async def count_queued(session: AsyncSession) -> dict[str, int]:
    """Return how many entries of the queue wait, of all tenants, by their kind."""
    return {row["kind"]: row["count"] for row in await queries.count_queued(session)}


async def request_training(
    session: AsyncSession,
    wanted: TrainingCreate,
    default: ModelType,
    *,
    now: datetime,
    language: str,
) -> JobRead:
    """Queue the training of items, one entry each, in the session's transaction.

    Raises ItemNotFound, NothingToTrain.
    """
    items = await _items(session, wanted, now)
    stamp = journal.stamp_of(session)
    job = Job(
        id=new_id(),
        state=State.QUEUED.value,
        model_type=(wanted.model_type or default).value,
        training_days=wanted.training_days,
        forecast_periods=wanted.forecast_periods,
        country=wanted.country,
        total=len(items),
        done=0,
        failed=0,
        actor=stamp.actor,
        request_id=stamp.request_id,
        created_at=now,
    )
    session.add(job)
    await session.flush()  # Its items refer to it.
    await _queue_items(session, job, items, stamp)
    journal.record(
        session,
        TrainingRequested(
            job_id=job.id,
            model_type=job.model_type,
            training_days=job.training_days,
            forecast_periods=job.forecast_periods,
            codes=list(items),
        ),
    )
    return to_read(job, [], language)


async def cancel_job(session: AsyncSession, job_id: UUID, *, now: datetime) -> None:
    """Drop what is not finished of a job; what a worker is fitting now will not be kept.

    Raises JobNotFound, JobAlreadyFinished.
    """
    job = await _job(session, job_id, lock=True)
    if State(job.state).is_final:
        raise JobAlreadyFinished
    queue_ids = await queries.cancel_pending(session, job_id)
    await queue.drop(session, queue_ids)
    job.state = State.CANCELLED.value
    job.finished_at = now
    journal.record(session, JobCancelled(job_id=job.id, done=job.done, total=job.total))


async def get_job(session: AsyncSession, job_id: UUID, language: str) -> JobRead:
    """Return a job with what became of each finished item. Raises JobNotFound."""
    job = await _job(session, job_id)
    return to_read(job, await queries.list_outcomes(session, job_id), language)


async def list_jobs(session: AsyncSession, query: PageQuery) -> JobPage:
    """Return one page of jobs, newest first. Raises InvalidCursor."""
    after = NEWEST.after(query.cursor)
    rows = await queries.list_jobs(
        session, before=after[0] if after else None, limit=query.limit + 1
    )
    page, next_cursor = NEWEST.page(rows, query.limit, lambda job: (job.id,))
    return JobPage(items=[to_summary(job) for job in page], next_cursor=next_cursor)


def to_summary(job: Job) -> JobSummary:
    return JobSummary(
        id=job.id,
        state=State(job.state),
        progress=progress(job.done, job.total),
        done=job.done,
        total=job.total,
        model_type=job.model_type,
        training_days=job.training_days,
        forecast_periods=job.forecast_periods,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


def to_read(job: Job, outcomes: Iterable[RowMapping], language: str) -> JobRead:
    finished = list(outcomes)
    return JobRead(
        **dict(to_summary(job)),
        results=[_result(row) for row in finished if row["state"] == State.SUCCEEDED],
        errors=[_error(row, language) for row in finished if row["state"] == State.FAILED],
    )


async def _job(session: AsyncSession, job_id: UUID, *, lock: bool = False) -> Job:
    job = await queries.find_job(session, job_id, lock=lock)
    if job is None:
        raise JobNotFound(job=str(job_id))
    return job


async def _items(session: AsyncSession, wanted: TrainingCreate, now: datetime) -> dict[str, UUID]:
    codes = wanted.codes
    if codes is not None:
        return await consumption.get_items(session, codes)
    since = day_of(now) - timedelta(days=wanted.training_days)
    items = await consumption.list_top_items(session, since=since, limit=wanted.top or 1)
    if not items:
        raise NothingToTrain(training_days=wanted.training_days)
    return items


async def _queue_items(
    session: AsyncSession, job: Job, items: dict[str, UUID], stamp: Stamp
) -> None:
    ids = [new_id() for _ in items]
    payloads = [queue.payload(stamp, job_item_id) for job_item_id in ids]
    queue_ids = await queue.enqueue(session, queue.TRAIN, payloads)
    await queries.add_items(
        session,
        [
            {
                "id": job_item_id,
                "job_id": job.id,
                "item_id": item_id,
                "item_code": code,
                "state": State.QUEUED.value,
                "queue_id": queue_id,
                "crashes": 0,
            }
            for job_item_id, queue_id, (code, item_id) in zip(
                ids, queue_ids, items.items(), strict=True
            )
        ],
    )


def _result(row: RowMapping) -> JobResult:
    return JobResult(
        item_code=row["item_code"],
        model_id=row["model_id"],
        version=row["version"],
        model_type=row["model_type"],
        accuracy_metrics=AccuracyRead.model_validate(row["accuracy"]),
        beats_baseline=row["beats_baseline"],
    )


def _error(row: RowMapping, language: str) -> JobError:
    code = ErrorCode(row["error"]["code"])
    return JobError(
        item_code=row["item_code"],
        code=code,
        message=translate(MESSAGES[code], language, **row["error"]),
    )
