import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest

from services.forecasting.training.worker import Trainer
from tests.services.forecasting.shop import Shop
from tests.support.services import Caller

FINISHED_WITHIN_S = 60
WEEK = [5, 6, 7, 8, 9, 14, 12]


@pytest.fixture
async def stocked(shop: Shop, follow: Callable[[], Awaitable[int]]) -> Shop:
    """A tenant whose items A1 and B1 sold for eight weeks and whose C1 never moved."""
    await shop.open("A1", "B1", "C1", lead_time_days=7, pack_size="12", pack_unit="case")
    shop.sell("A1", WEEK * 8, stock=600)
    shop.sell("B1", [2 * quantity for quantity in WEEK] * 8)
    await shop.record()
    await follow()
    return shop


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
def train(
    client: httpx.AsyncClient, caller: Caller
) -> Callable[..., Awaitable[httpx.Response]]:
    async def post(key: str | None = None, **body: Any) -> httpx.Response:
        headers = caller.headers(**({"Idempotency-Key": key} if key else {}))
        body = {"model_type": "seasonal_naive", "forecast_periods": 28} | body
        return await client.post("/api/ai/forecast/train", json=body, headers=headers)

    return post


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
