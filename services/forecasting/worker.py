"""The worker: takes items from the queue, has them fitted, keeps what comes out."""

import asyncio
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job as QueueEntry

from services.forecasting import queue
from services.forecasting.fitting.processes import FitTimedOut, FittingProcesses, ProcessDied
from services.forecasting.models.models import Model
from services.forecasting.resources import ForecastingResources
from services.forecasting.training import metrics, service
from services.forecasting.training.models import JobItem
from services.forecasting.training.rules import CRASHES_MAX, ErrorCode
from shared import tracing
from shared.clock import utc_now
from shared.db import Stamp
from shared.ending import is_ending
from shared.journal.aside import is_rebuilding
from shared.journal.follow import hold_off
from shared.log import log
from shared.metrics import system_health

FIT_TIME_LIMIT_S = 120.0  # Hard; the methods hold themselves to half of it.
RECONNECT_DELAY_S = 1.0
# An entry whose worker was silent so long is given to another.
HEARTBEAT_TIMEOUT = timedelta(seconds=10)
POLL_INTERVAL = timedelta(seconds=5)
REBUILD_DELAY = timedelta(seconds=5)


class Trainer:
    """Trains items for ever, as many at a time as there are processes."""

    def __init__(self, resources: ForecastingResources, processes: int) -> None:
        self._resources = resources
        self._processes = FittingProcesses(processes, FIT_TIME_LIMIT_S)
        # One more than can be fitted, so that a process never waits for its next item.
        self._concurrency = max(processes + 1, 2)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Serve the queue for ever, connecting again as needed."""
        try:
            while True:
                try:
                    await self._serve()
                except Exception:
                    if is_ending():
                        raise
                    log.exception("training queue failed")
                system_health.labels("ai").set(0)
                await asyncio.sleep(RECONNECT_DELAY_S)
        finally:
            self._processes.close()

    async def _serve(self) -> None:
        connection = await self._resources.database.connect()
        manager = queue.manager_on(connection)
        manager.entrypoint(queue.TRAIN)(self._train)
        serving = asyncio.create_task(
            manager.run(
                dequeue_timeout=POLL_INTERVAL,
                batch_size=1,
                max_concurrent_tasks=self._concurrency,
                shutdown_on_listener_failure=True,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
            )
        )
        system_health.labels("ai").set(1)
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            # Cancelled, the manager would strike running entries off the queue: let each go back.
            self._stopping.set()
            manager.shutdown.set()
            await serving
            raise
        finally:
            await connection.close()

    async def _train(self, entry: QueueEntry) -> None:
        stamp, job_item_id, traceparent = queue.read_payload(entry.payload or b"")
        with tracing.spanning("train", traceparent):
            await self._train_item(stamp, job_item_id)

    async def _train_item(self, stamp: Stamp, job_item_id: UUID) -> None:
        database = self._resources.database
        async with database.transaction(stamp) as session:
            await hold_off(session)
            if await is_rebuilding(session):
                raise RetryRequested(REBUILD_DELAY, "consumption is counted anew")
            assignment = await service.begin_item(session, job_item_id, now=utc_now())
        if assignment is None:
            return
        started = time.perf_counter()
        outcome = await self._outcome(stamp, job_item_id, assignment)
        kept: Model | JobItem | None
        async with database.transaction(stamp) as session:
            if "result" in outcome:
                model_type, status = outcome["result"]["model_type"], "succeeded"
                kept = await service.keep_model(
                    session, job_item_id, outcome["result"], now=utc_now()
                )
            else:
                model_type, status = assignment.model_type, "failed"
                kept = await service.give_up_item(
                    session, job_item_id, outcome["error"], now=utc_now()
                )
        if kept is not None:
            self._resources.waker.wake(self._resources.service)
            metrics.trained.labels(model_type, status).inc()
            metrics.duration.labels(model_type).observe(time.perf_counter() - started)

    async def _outcome(
        self, stamp: Stamp, job_item_id: UUID, assignment: service.Assignment
    ) -> dict[str, Any]:
        """Return the result or the error of fitting. Raises RetryRequested."""
        if assignment.request is None:
            return _error(ErrorCode.NO_DATA)
        try:
            return await self._fit_unless_stopping(assignment.request)
        except FitTimedOut:
            return _error(ErrorCode.TIMED_OUT)
        except ProcessDied as error:
            async with self._resources.database.transaction(stamp) as session:
                crashes = await service.count_crash(session, job_item_id)
            log.warning("training process died", item=assignment.item_code, crashes=crashes)
            if crashes >= CRASHES_MAX:
                return _error(ErrorCode.CRASHED)
            raise RetryRequested(reason="the training process died") from error
        except RetryRequested:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, this item cannot be trained.
            log.exception("training failed", job=str(assignment.job_id), item=assignment.item_code)
            return _error(ErrorCode.INTERNAL_ERROR)

    async def _fit_unless_stopping(self, request: dict[str, Any]) -> dict[str, Any]:
        fitting = asyncio.ensure_future(self._processes.fit(request))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({fitting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not fitting.done():
                raise RetryRequested(reason="the worker stops")
            return fitting.result()
        finally:
            fitting.cancel()
            stopping.cancel()


def _error(code: ErrorCode) -> dict[str, Any]:
    return {"error": {"code": code.value}}
