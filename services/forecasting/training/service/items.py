"""Training one item, in two short transactions around the fit; each may safely run twice.

The job's row is always locked first: saving, failing and cancelling come one after another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.forecasting import queue
from services.forecasting.consumption import service as consumption
from services.forecasting.consumption.rules import day_of
from services.forecasting.models import service as models
from services.forecasting.models.models import Model
from services.forecasting.training import queries
from services.forecasting.training.models import Job, JobItem
from services.forecasting.training.rules import (
    ErrorCode,
    State,
    last_training_day,
    state_after,
    training_request,
)
from shared import journal
from shared.contracts.forecasting.training import JobFinished, TrainingFailed


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a worker is to do: the request for `fit_series`, None when there is no data at all."""

    job_id: UUID
    item_code: str
    model_type: str
    request: dict[str, Any] | None


async def begin_item(
    session: AsyncSession, job_item_id: UUID, *, now: datetime
) -> Assignment | None:
    """Mark an item as running and return what to fit; None when nothing is left to do."""
    found = await _lock(session, job_item_id)
    if found is None:
        return None
    job, item = found
    item.state = State.RUNNING.value
    if job.state == State.QUEUED:
        job.state = State.RUNNING.value
        job.started_at = now
    history = await consumption.find_demand(
        session, item.item_id, last_day=last_training_day(day_of(now)), days=job.training_days
    )
    request = (
        training_request(str(item.id), job.model_type, job.forecast_periods, job.country, history)
        if history
        else None
    )
    return Assignment(job.id, item.item_code, job.model_type, request)


async def keep_model(
    session: AsyncSession, job_item_id: UUID, result: Mapping[str, Any], *, now: datetime
) -> Model | None:
    """Keep the model of an item and return it; None when one was kept, or the job cancelled."""
    found = await _lock(session, job_item_id)
    if found is None:
        return None
    job, item = found
    origin = models.Origin(job.id, item.id, item.item_id, item.item_code)
    model = await models.save_trained(session, origin, result, now=now)
    item.state = State.SUCCEEDED.value
    _finish_one(session, job, now)
    return model


async def give_up_item(
    session: AsyncSession, job_item_id: UUID, error: dict[str, Any], *, now: datetime
) -> JobItem | None:
    """Give an item up and return it; None when it was finished before, or the job cancelled.

    `error` holds the `code` and the figures of its message.
    """
    found = await _lock(session, job_item_id)
    if found is None:
        return None
    job, item = found
    item.state = State.FAILED.value
    item.error = error
    job.failed += 1
    journal.record(
        session,
        TrainingFailed(
            job_id=job.id,
            item_id=item.item_id,
            code=item.item_code,
            reason=ErrorCode(error["code"]).value,
        ),
    )
    _finish_one(session, job, now)
    return item


async def count_crash(session: AsyncSession, job_item_id: UUID) -> int:
    """Count that the process died over this item and return how often it did."""
    found = await _lock(session, job_item_id)
    if found is None:
        return 0
    _, item = found
    item.crashes += 1
    return item.crashes


async def adopt_orphan(session: AsyncSession, job_item_id: UUID) -> JobItem | None:
    """Queue an item again whose entry the queue has lost; None when there is nothing to do."""
    found = await _lock(session, job_item_id)
    if found is None or await queries.is_queued(session, found[1].queue_id):
        return None
    job, item = found
    asked = replace(journal.stamp_of(session), actor=job.actor, request_id=job.request_id)
    [item.queue_id] = await queue.enqueue(session, queue.TRAIN, [queue.payload(asked, item.id)])
    return item


async def _lock(session: AsyncSession, job_item_id: UUID) -> tuple[Job, JobItem] | None:
    """Return an unfinished item and its job, locked; None when there is nothing to do."""
    item = await queries.find_item(session, job_item_id)
    if item is None:
        return None
    job = await queries.find_job(session, item.job_id, lock=True)
    await queries.refresh(session, item)
    if job is None or State(job.state).is_final or State(item.state).is_final:
        return None
    return job, item


def _finish_one(session: AsyncSession, job: Job, now: datetime) -> None:
    job.done += 1
    state = state_after(job.done, job.failed, job.total)
    job.state = state.value
    if state.is_final:
        job.finished_at = now
        journal.record(
            session,
            JobFinished(
                job_id=job.id,
                state=cast("Literal['succeeded', 'failed']", state.value),
                total=job.total,
                failed=job.failed,
            ),
        )
