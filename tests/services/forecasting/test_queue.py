import asyncpg
import pytest

from services.forecasting.queue import TABLES, queries_on
from tests.support.database import Databases

pytestmark = pytest.mark.stack


async def test_the_queue_has_the_tables_that_this_version_of_pgqueuer_expects(
    databases: Databases,
):
    connection = await asyncpg.connect(databases.dsn("stock_owner"))
    try:
        plan = await queries_on(connection).plan_upgrade()
    finally:
        await connection.close()

    assert list(plan.statements) == []
    assert TABLES.db_schema == "forecasting"


async def test_the_service_may_not_change_the_queues_tables(databases: Databases):
    connection = await asyncpg.connect(databases.dsn("forecasting_app"))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("TRUNCATE pgqueuer")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE models SET payload = '{}'")
    finally:
        await connection.close()
