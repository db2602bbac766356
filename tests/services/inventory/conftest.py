from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from services.inventory.app import create_app
from services.inventory.resources import open_service
from services.inventory.settings import Settings
from tests.support.database import Databases
from tests.support.inventory import make_inventory_settings
from tests.support.past import Past
from tests.support.services import Caller, running

Make = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(scope="session")
def inventory_settings(databases: Databases, service_environment: dict[str, str]) -> Settings:
    return make_inventory_settings(databases, service_environment)


@pytest.fixture(scope="session")
async def client(inventory_settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with running(create_app(inventory_settings)) as started:
        yield started


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture
def make_location(client: httpx.AsyncClient, caller: Caller) -> Make:
    async def make(name: str = "Main", type: str = "warehouse", **more: Any) -> dict[str, Any]:  # noqa: A002 - the field's name.
        body = {"name": name, "type": type, **more}
        response = await client.post("/api/locations", json=body, headers=caller.headers())
        assert response.status_code == 201, response.text
        return response.json()

    return make


@pytest.fixture
def make_item(client: httpx.AsyncClient, caller: Caller) -> Make:
    async def make(code: str = "A1", name: Any = "Item", **more: Any) -> dict[str, Any]:
        body = {"code": code, "name": name, **more}
        response = await client.post("/api/inventory/add-item", json=body, headers=caller.headers())
        assert response.status_code == 201, response.text
        return response.json()

    return make


@pytest.fixture
def move(client: httpx.AsyncClient, caller: Caller) -> Callable[..., Awaitable[httpx.Response]]:
    async def post(
        kind: str = "receipt",
        quantity: Any = "1",
        item: str = "A1",
        location: str = "Main",
        key: str | None = None,
        **more: Any,
    ) -> httpx.Response:
        body = {"kind": kind, "item": item, "location": location, "quantity": quantity, **more}
        headers = caller.headers(**({"Idempotency-Key": key} if key else {}))
        return await client.post("/api/inventory/movements", json=body, headers=headers)

    return post


@pytest.fixture
async def other(databases: Databases) -> AsyncIterator[asyncpg.Connection]:
    """A connection of somebody else, in a transaction of his own that a test ends."""
    connection = await asyncpg.connect(databases.superuser_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def past(
    inventory_settings: Settings, superuser: asyncpg.Connection, caller: Caller
) -> AsyncIterator[Past]:
    """What moves the caller's ledger back by years; nothing of it is there afterwards."""
    resources = open_service(inventory_settings)
    made = Past(superuser, resources.database, caller.tenant_id)
    await made.begin()
    yield made
    await made.clear()
    await resources.close()
