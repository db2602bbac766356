import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from services.forecasting import queue
from services.forecasting.app import create_app
from services.forecasting.fitting.fit import fit
from services.forecasting.followers import followers
from services.forecasting.settings import Settings
from services.forecasting.training import service
from services.forecasting.training.models import JobItem
from services.forecasting.worker import Trainer
from services.inventory.app import create_app as create_inventory
from shared.clock import utc_now
from shared.db import Database, Stamp
from shared.journal.apply import Follower
from shared.journal.follow import apply_page
from tests.contracts.rows import assert_journal_is_as_promised
from tests.services.forecasting.shop import WEEK, Shop
from tests.support.database import Databases
from tests.support.inventory import make_inventory_settings
from tests.support.services import Caller, running, service_headers
from tests.support.waiting import eventually


@pytest.fixture(scope="session")
def settings(databases: Databases, service_environment: dict[str, str]) -> Settings:
    return Settings(
        **service_environment,
        database_url=databases.dsn("forecasting_app"),
        forecasting_client_secret="forecasting-client-secret",
        inventory_encryption_key="77" * 32,
        ai_workers=2,
    )


@pytest.fixture(scope="session")
async def inventory(
    databases: Databases, service_environment: dict[str, str]
) -> AsyncIterator[httpx.AsyncClient]:
    """Inventory's real app, whose journal is followed."""
    app = create_inventory(make_inventory_settings(databases, service_environment))
    async with running(app) as started:
        yield started


@pytest.fixture(scope="session")
async def app(settings: Settings):
    return create_app(settings)


@pytest.fixture(scope="session")
async def client(app, databases: Databases) -> AsyncIterator[httpx.AsyncClient]:
    """Speak to one app; at the end all that it journaled is held against its contracts."""
    async with running(app) as started:
        yield started
    await assert_journal_is_as_promised(databases, "forecasting")


@pytest.fixture
def database(client: httpx.AsyncClient, app) -> Database:
    return app.state.resources.database


@pytest.fixture
def caller() -> Caller:
    return Caller()


@dataclass
class Journal:
    """Stands for the network between follower and producer: calls the producer's app."""

    inventory: httpx.AsyncClient

    async def get_json(self, _service: str, path: str, params: dict[str, Any]) -> Any:
        response = await self.inventory.get(path, params=params, headers=service_headers())
        return response.json()


@pytest.fixture
def feed(inventory: httpx.AsyncClient) -> Journal:
    return Journal(inventory)


@pytest.fixture
def follower(settings: Settings) -> Follower:
    return followers(settings)[0]


@pytest.fixture
def follow(follower: Follower, feed: Journal, database: Database) -> Callable[[], Awaitable[int]]:
    """Apply all of inventory's journal that is new; return how many entries."""

    async def run() -> int:
        total = 0
        while applied := await apply_page(follower, database, feed):
            total += applied
        return total

    return run


@pytest.fixture
def shop(inventory: httpx.AsyncClient, caller: Caller) -> Shop:
    return Shop(inventory, caller)


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
def train(client: httpx.AsyncClient, caller: Caller) -> Callable[..., Awaitable[httpx.Response]]:
    async def post(key: str | None = None, **body: Any) -> httpx.Response:
        headers = caller.headers(**({"Idempotency-Key": key} if key else {}))
        body = {"model_type": "seasonal_naive", "forecast_periods": 28} | body
        return await client.post("/api/ai/forecast/train", json=body, headers=headers)

    return post


@pytest.fixture
def train_here(
    train: Callable[..., Awaitable[httpx.Response]], database: Database, caller: Caller
) -> Callable[..., Awaitable[None]]:
    """Train items as a worker would, but in this process and without the queue."""

    async def run(**body: Any) -> None:
        job = (await train(**body)).json()
        stamp = Stamp(caller.tenant_id, "test")
        async with database.transaction(stamp) as session:
            found = select(JobItem).where(JobItem.job_id == UUID(job["id"]))
            items = (await session.scalars(found)).all()
            await queue.drop(session, [item.queue_id for item in items])
            for item in items:
                assignment = await service.begin_item(session, item.id, now=utc_now())
                result = fit(assignment.request)["result"]
                assert await service.keep_model(session, item.id, result, now=utc_now())

    return run


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
        async def ended() -> dict[str, Any] | None:
            answer = await client.get(f"/api/ai/jobs/{job_id}", headers=caller.headers())
            job = dict(answer.json())
            return None if job["state"] in {"queued", "running"} else job

        return dict(await eventually(ended))

    return wait
