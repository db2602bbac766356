"""Every statement is counted and timed, whoever sends it; of a slow one its plan is told."""

import asyncio
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db import Database, Stamp, statements
from shared.metrics import db_duration, db_queries
from shared.settings import ServiceSettings
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack

CANARY = "canary-7f3a"
TENANT = UUID(int=7)
STAMP = Stamp(TENANT, "test")


@pytest.fixture
def told(monkeypatch):
    """The warnings of slow statements."""
    found = []

    class Log:
        def warning(self, message, **fields):
            found.append(fields | {"message": message})

    monkeypatch.setattr(statements, "log", Log())
    return found


@pytest.fixture
async def database(databases, service_environment):
    settings = ServiceSettings(
        database_url=databases.dsn("inventory_app"), slow_statement_ms=100, **service_environment
    )
    opened = Database.from_settings(settings, hot_connections=1)
    yield opened
    await opened.close()


def counted(operation, status="ok"):
    return db_queries.labels(operation, status)._value.get()


def timed(operation, table):
    return sum(b.get() for b in db_duration.labels("postgresql", operation, table)._buckets)


async def send(database, how, statement, *parameters):
    """Send a statement by SQLAlchemy, over its driver's connection, or over a hot one."""
    if how == "hot":
        async with database.hot(TENANT) as connection:
            return await connection.fetch(statement, *parameters)
    async with database.transaction(STAMP) as session:
        if how == "driver":
            connection = await (await session.connection()).get_raw_connection()
            return await connection.driver_connection.fetch(statement, *parameters)
        named = {f"p{n}": value for n, value in enumerate(parameters, start=1)}
        for n in range(1, len(parameters) + 1):
            statement = statement.replace(f"${n}", f":p{n}")
        return (await session.execute(text(statement), named)).all()


@pytest.mark.parametrize("how", ["orm", "driver", "hot"])
async def test_a_statement_is_counted_once_by_verb_and_table(database, how):
    before = counted("update"), timed("update", "items")

    await send(database, how, "UPDATE items SET code = code WHERE false RETURNING 1")
    await send(database, "orm", "SELECT 1")  # The driver tells of a statement a moment later.

    assert (counted("update"), timed("update", "items")) == (before[0] + 1, before[1] + 1)


async def test_many_at_once_are_one(database):
    before = counted("update")

    async with database.transaction(STAMP) as session:
        await session.execute(
            text("UPDATE items SET code = code WHERE code = :code"), [{"code": "a"}, {"code": "b"}]
        )

    assert counted("update") == before + 1


@pytest.mark.parametrize("how", ["orm", "driver", "hot"])
async def test_one_that_fails_is_counted_as_failed(database, how):
    before = counted("update"), counted("update", "error")

    with pytest.raises((DBAPIError, asyncpg.PostgresError)):
        await send(database, how, "UPDATE items SET code = (1 / 0)::text RETURNING 1")
    await send(database, "orm", "SELECT 1")

    assert (counted("update"), counted("update", "error")) == (before[0], before[1] + 1)


@pytest.mark.parametrize("how", ["orm", "driver", "hot"])
async def test_a_slow_one_is_told_with_its_plan_and_no_value(database, told, how):
    slow = "SELECT pg_sleep(0.12), (SELECT name_en FROM items WHERE code = $1)"

    await send(database, how, slow, CANARY)
    await eventually(lambda: told)
    await send(database, how, slow, CANARY)

    await eventually(lambda: len(told) > 1)
    first, again = told
    assert first["message"] == again["message"] == "slow statement"
    assert first["duration_s"] >= 0.12
    assert "pg_sleep" in first["statement"]
    assert any("items" in line for line in first["plan"]), first["plan"]
    assert "plan" not in again
    assert CANARY not in str(told)


async def test_what_cannot_be_explained_is_told_all_the_same(database, told):
    await send(database, "hot", "SELECT pg_sleep(0.12)")
    await asyncio.sleep(0)

    await eventually(lambda: told)
    assert told[0]["plan"]


async def test_a_fast_one_is_not_told(database, told):
    await send(database, "orm", "SELECT 1")

    assert told == []
