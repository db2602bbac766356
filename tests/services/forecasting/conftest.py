from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from services.forecasting.app import create_app
from services.forecasting.followers import FOLLOWERS
from services.forecasting.settings import Settings
from services.inventory.app import create_app as create_inventory
from services.inventory.settings import Settings as InventorySettings
from shared.db import Database
from shared.journal.follow import apply_page
from tests.services.forecasting.shop import Shop
from tests.support.database import Databases
from tests.support.services import Caller, running, service_headers


@pytest.fixture(scope="session")
def settings(databases: Databases, service_environment: dict[str, str]) -> Settings:
    return Settings(
        **service_environment,
        database_url=databases.dsn("forecasting_app"),
        forecasting_client_secret="forecasting-client-secret",
        ai_workers=2,
    )


@pytest.fixture(scope="session")
async def inventory(
    databases: Databases, service_environment: dict[str, str]
) -> AsyncIterator[httpx.AsyncClient]:
    """Inventory's real app, whose journal is followed."""
    inventory_settings = InventorySettings(
        **service_environment,
        database_url=databases.dsn("inventory_app"),
        inventory_encryption_key="22" * 32,
        price_encryption_key="33" * 32,
        inventory_client_secret="inventory-client-secret",
    )
    async with running(create_inventory(inventory_settings)) as started:
        yield started


@pytest.fixture(scope="session")
async def app(settings: Settings):
    return create_app(settings)


@pytest.fixture(scope="session")
async def client(app) -> AsyncIterator[httpx.AsyncClient]:
    async with running(app) as started:
        yield started


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
def follow(feed: Journal, database: Database) -> Callable[[], Awaitable[int]]:
    """Apply all of inventory's journal that is new; return how many entries."""

    async def run() -> int:
        total = 0
        while applied := await apply_page(FOLLOWERS[0], database, feed):
            total += applied
        return total

    return run


@pytest.fixture
def shop(inventory: httpx.AsyncClient, caller: Caller) -> Shop:
    return Shop(inventory, caller)
