import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.inventory.app import create_app as create_inventory
from services.reporting.app import create_app
from services.reporting.followers import followers
from services.reporting.resources import ReportingResources
from services.reporting.settings import Settings
from shared.errors import Unavailable
from shared.journal.apply import Follower
from shared.journal.follow import apply_page
from tests.support.database import Databases
from tests.support.inventory import make_inventory_settings
from tests.support.services import Caller, running, service_headers
from tests.support.waiting import PATIENCE_S


@dataclass
class InProcessServices:
    """Stands in for the network: the services that run in this test, all others are away."""

    apps: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    async def get_json(
        self,
        service: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout_s: float = 10,
    ) -> Any:
        if service not in self.apps:
            raise Unavailable
        target = self.apps[service]._transport.app.state.resources.service  # What stands in for it.
        headers = service_headers("reporting", "journal:read", "forecast:read", target=target)
        response = await self.apps[service].get(
            path, params=params, headers=headers, timeout=timeout_s
        )
        if response.status_code >= 500:
            raise Unavailable
        response.raise_for_status()
        return response.json()

    async def close(self) -> None:
        """Nothing is held open."""


@pytest.fixture(scope="session")
def databases(databases: Databases) -> Databases:
    """One of its own: followers read a whole journal, and all other tests write the shared one."""
    own = databases.beside("reporting")
    asyncio.run(own.prepare())
    return own


@pytest.fixture(scope="session")
def reporting_settings(databases: Databases, service_environment: dict[str, str]) -> Settings:
    return Settings(
        **service_environment,
        database_url=databases.dsn("reporting_app"),
        price_encryption_key="33" * 32,
        reporting_client_secret="reporting-client-secret",
    )


@pytest.fixture(scope="session")
async def inventory_app(databases: Databases, service_environment: dict[str, str]) -> FastAPI:
    return create_inventory(make_inventory_settings(databases, service_environment))


@pytest.fixture(scope="session")
async def inventory(inventory_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with running(inventory_app) as started:
        yield started


@pytest.fixture(scope="session")
async def reporting_app(reporting_settings: Settings) -> FastAPI:
    return create_app(reporting_settings)


@pytest.fixture(scope="session")
async def started(
    reporting_app: FastAPI, inventory: httpx.AsyncClient
) -> AsyncIterator[httpx.AsyncClient]:
    async with running(reporting_app) as client:
        yield client


@pytest.fixture
def services(inventory: httpx.AsyncClient) -> InProcessServices:
    return InProcessServices({"inventory": inventory})


@pytest.fixture
def client(
    started: httpx.AsyncClient, reporting_app: FastAPI, services: InProcessServices
) -> httpx.AsyncClient:
    reporting_app.state.resources.client = services
    return started


@pytest.fixture
def resources(client: httpx.AsyncClient, reporting_app: FastAPI) -> ReportingResources:
    return reporting_app.state.resources


@pytest.fixture(scope="session")
async def superuser(databases: Databases) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(databases.superuser_dsn)
    yield connection
    await connection.close()


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture
def inventory_follower(resources: ReportingResources) -> Follower:
    return next(f for f in followers(resources.own) if f.producer == "inventory")


@pytest.fixture
def follow(
    inventory_follower: Follower,
    resources: ReportingResources,
    services: InProcessServices,
    superuser: asyncpg.Connection,
) -> Callable[[], Awaitable[None]]:
    """Apply inventory's journal up to its end."""

    async def until_current() -> None:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await apply_page(inventory_follower, resources.database, services)
                if await superuser.fetchval(_IS_CURRENT):
                    return

    return until_current


@pytest.fixture
def post(inventory: httpx.AsyncClient, caller: Caller) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Change something in inventory, which must succeed."""

    async def send(path: str, by: Caller = caller, **body: Any) -> dict[str, Any]:
        response = await inventory.post(path, json=body, headers=by.headers())
        assert response.status_code == 201, response.text
        return response.json()

    return send


@pytest.fixture
def get(client: httpx.AsyncClient, caller: Caller) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Read something from reporting, which must succeed."""

    async def read(path: str, reader: Caller = caller, **params: Any) -> dict[str, Any]:
        response = await client.get(path, params=params, headers=reader.headers())
        assert response.status_code == 200, response.text
        return response.json()

    return read


@pytest.fixture
def move(post: Callable[..., Awaitable[dict[str, Any]]]) -> Callable[..., Awaitable[Any]]:
    """Move stock of an item at the place that is called Main."""

    async def send(item: str, quantity: str, kind: str = "receipt", **more: Any) -> dict[str, Any]:
        body = {"kind": kind, "item": item, "location": "Main", "quantity": quantity}
        return await post("/api/inventory/movements", **body, **more)

    return send


@pytest.fixture
def spoil(superuser: asyncpg.Connection, caller: Caller) -> Callable[..., Awaitable[None]]:
    """Change what inventory's journal says of the movement with this reference."""

    async def change(reference: str, **fields: Any) -> None:
        changed = await superuser.execute(
            "UPDATE inventory.journal SET data = (data::jsonb || $3::jsonb)::json "
            "WHERE tenant_id = $1 AND data ->> 'reference' = $2",
            caller.tenant_id,
            reference,
            json.dumps(fields),
        )
        assert changed == "UPDATE 1"

    return change


@pytest.fixture
async def aside(
    superuser: asyncpg.Connection, caller: Caller
) -> AsyncIterator[Callable[[], Awaitable[list[tuple[Any, ...]]]]]:
    """What is aside of the caller's tenant, in order: (reference, error, reason, attempts).

    Nothing of other tests is: `/status` and the gauge count every tenant's.
    """
    await superuser.execute("TRUNCATE reporting.entries_set_aside")

    async def read() -> list[tuple[Any, ...]]:
        rows = await superuser.fetch(
            "SELECT entry -> 'data' ->> 'reference', error, reason, attempts "
            "FROM reporting.entries_set_aside WHERE tenant_id = $1 ORDER BY xid, seq",
            caller.tenant_id,
        )
        return [tuple(row) for row in rows]

    yield read
    await superuser.execute("TRUNCATE reporting.entries_set_aside")


_IS_CURRENT = """
    SELECT NOT EXISTS (
        SELECT FROM inventory.journal j, reporting.follower_cursors c
        WHERE c.producer = 'inventory' AND (j.xid, j.seq) > (c.xid::text::xid8, c.seq))
"""
