import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest

from services.forecasting.training.worker import Trainer
from tests.support.services import Caller

FINISHED_WITHIN_S = 60


@pytest.fixture
def trainer(app: Any, client: httpx.AsyncClient) -> Callable[[], Any]:
    """Run a worker's queue inside the test while the block lasts."""

    @asynccontextmanager
    async def running() -> AsyncIterator[Trainer]:
        worker = Trainer(app.state.resources, 2)
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return running


@pytest.fixture
def finished(
    client: httpx.AsyncClient, caller: Caller
) -> Callable[[str], Awaitable[dict[str, Any]]]:
    """Wait until a job is finished and return it."""

    async def wait(job_id: str) -> dict[str, Any]:
        async with asyncio.timeout(FINISHED_WITHIN_S):
            while True:
                answer = await client.get(f"/api/ai/jobs/{job_id}", headers=caller.headers())
                if answer.json()["state"] not in {"queued", "running"}:
                    return dict(answer.json())
                await asyncio.sleep(0.05)

    return wait
