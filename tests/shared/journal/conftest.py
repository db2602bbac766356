from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.db import Database
from shared.settings import ServiceSettings
from tests.support.database import Databases

TABLES = "reporting.journal, reporting.checkpoints"


@pytest.fixture(scope="session")
async def superuser(databases: Databases) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(databases.superuser_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def database(
    databases: Databases, service_environment: dict[str, str], superuser: asyncpg.Connection
) -> AsyncIterator[Database]:
    """Reporting's schema, whose journal no other test writes to, empty before and after."""
    settings = ServiceSettings(**service_environment, database_url=databases.dsn("reporting_app"))
    opened = Database.from_settings(settings)
    await superuser.execute(f"TRUNCATE {TABLES}")
    yield opened
    await opened.close()
    await superuser.execute(f"TRUNCATE {TABLES}")
