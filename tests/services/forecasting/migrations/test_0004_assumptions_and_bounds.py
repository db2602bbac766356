import shutil
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

import services.forecasting
from shared.db.migrate import migrate
from tests.support.database import Databases, running_database

pytestmark = pytest.mark.stack

MIGRATIONS = Path(services.forecasting.__path__[0]) / "migrations"
TENANT, STRANGER = UUID(int=1), UUID(int=2)


@pytest.fixture
async def before(tmp_path):
    """A database as the migration before left it: its DSNs, and a connection as the superuser."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    for path in MIGRATIONS.glob("000[1-3]_*"):
        shutil.copy(path, folder)
    with running_database(tmp_path) as dsn:
        databases = Databases(dsn)
        await databases.bootstrap()
        await migrate("forecasting", folder, databases.dsn("stock_owner"))
        connection = await asyncpg.connect(databases.superuser_dsn)
        yield databases, connection
        await connection.close()


async def add_item(connection, number, code, tenant=TENANT):
    await connection.execute(
        "INSERT INTO forecasting.items (id, tenant_id, code, name_en, name_fr, unit, pack_size,"
        " active) VALUES ($1, $2, $3, 'N', 'N', 'each', 1, true)",
        *(UUID(int=number), tenant, code),
    )


async def test_items_of_before_get_keys_and_days_hold_any_sum(before):
    databases, connection = before
    await add_item(connection, 10, "\uff21bc")
    await add_item(connection, 11, "abc", tenant=STRANGER)
    largest = 99_999_999_999_999

    await migrate("forecasting", MIGRATIONS, databases.dsn("stock_owner"))

    rows = await connection.fetch("SELECT code, code_key FROM forecasting.items ORDER BY id")
    assert [tuple(row) for row in rows] == [("\uff21bc", "abc"), ("abc", "abc")]
    await connection.execute(
        "INSERT INTO forecasting.levels (tenant_id, item_id, location_id, on_hand)"
        " VALUES ($1, $1, $1, $2)",
        *(TENANT, 10_000 * largest),
    )
    assert await connection.fetchval("SELECT on_hand FROM forecasting.levels") == 10_000 * largest
