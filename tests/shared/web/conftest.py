from collections.abc import AsyncIterator

import httpx
import pytest

from tests.shared.web.shop import open_shop
from tests.support.database import Databases
from tests.support.services import Caller, running


@pytest.fixture(scope="session")
async def shop(
    databases: Databases,
    service_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the shop, whose pools are small, so that connections are soon used again."""
    folder = tmp_path_factory.mktemp("shop")
    app = await open_shop(databases, folder, service_environment, pg_pool_size=3, pg_max_overflow=2)
    async with running(app) as client:
        yield client


@pytest.fixture
def caller() -> Caller:
    return Caller()
