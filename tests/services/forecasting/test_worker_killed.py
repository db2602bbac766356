import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
import pytest

from services.forecasting.consumption import service as consumption
from services.forecasting.models import queries as models
from shared.db import Stamp
from tests.support.waiting import PATIENCE_S, eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow]

CODES = [f"K{number}" for number in range(8)]


@pytest.fixture
def worker(databases, service_environment):
    """Run `python -m services.forecasting work` while the block lasts; killed if still there."""
    environment = os.environ | {
        **{name.upper(): value for name, value in service_environment.items()},
        "DATABASE_URL": databases.dsn("forecasting_app"),
        "FORECASTING_CLIENT_SECRET": "forecasting-client-secret",
        "INVENTORY_ENCRYPTION_KEY": "77" * 32,
        "AI_WORKERS": "2",
    }

    @asynccontextmanager
    async def running() -> AsyncIterator[asyncio.subprocess.Process]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.forecasting", "work", env=environment
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    return running


@pytest.fixture
async def job(shop, follow, train):
    """A job over eight items with sixty weeks of sales each."""
    await shop.open(*CODES)
    for code in CODES:
        shop.sell(code, [3, 4, 5, 6, 7, 9, 8] * 60)
    await shop.record()
    await follow()
    return (await train(item_codes=CODES, model_type="arima")).json()


@pytest.fixture
def unfinished(database, caller):
    """Let no model of the last item be kept while the block lasts: its job cannot end."""

    @asynccontextmanager
    async def held() -> AsyncIterator[None]:
        async with database.transaction(Stamp(caller.tenant_id, "test")) as session:
            [item_id] = (await consumption.get_items(session, CODES[-1:])).values()
            await models.lock_models_of(session, item_id)
            yield

    return held


async def test_a_killed_worker_leaves_nothing_undone_and_does_nothing_twice(
    client, caller, job, finished, worker, unfinished
):
    async def has_begun():
        answer = await client.get(f"/api/ai/jobs/{job['id']}", headers=caller.headers())
        return answer.json()["done"] > 0

    async with unfinished(), worker() as process:
        await eventually(has_begun)
        left_behind = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    killed_at = (await client.get(f"/api/ai/jobs/{job['id']}", headers=caller.headers())).json()[
        "done"
    ]
    async with worker() as process:
        done = await finished(job["id"])
        process.terminate()
        stopped = await asyncio.wait_for(process.wait(), PATIENCE_S)

    assert 0 < killed_at < len(CODES)
    assert (done["state"], done["done"]) == ("succeeded", len(CODES))
    listed = await client.get("/api/ai/models/list", headers=caller.headers())
    assert sorted((m["entity_id"], m["version"]) for m in listed.json()["models"]) == [
        (code, 1) for code in CODES
    ]
    assert stopped == 0
    assert left_behind
    await eventually(lambda: not any(child.is_running() for child in left_behind))
