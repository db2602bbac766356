"""A broken constraint becomes the problem that its name stands for, on both ways to a database."""

from dataclasses import dataclass
from typing import ClassVar

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db import conflicts
from shared.errors import Conflict

pytestmark = pytest.mark.stack

TABLES = """
    CREATE TEMP TABLE rooms (
        name text CONSTRAINT rooms_name UNIQUE,
        size int NOT NULL CONSTRAINT rooms_size CHECK (size > 0));
    CREATE UNIQUE INDEX rooms_one_of_a_size ON rooms (size) WHERE size > 1;
    CREATE TEMP TABLE beds (room text CONSTRAINT beds_room REFERENCES rooms (name));
    INSERT INTO rooms VALUES ('blue', 1), ('red', 2)"""


@dataclass(eq=False)
class RoomNameTaken(Conflict):
    slug: ClassVar[str] = "room-name-taken"
    room: str


@dataclass(eq=False)
class RoomMissing(Conflict):
    slug: ClassVar[str] = "room-missing"


@dataclass(eq=False)
class SizeTaken(Conflict):
    slug: ClassVar[str] = "size-taken"


PROBLEMS = {
    "rooms_name": RoomNameTaken(room="blue"),
    "rooms_one_of_a_size": SizeTaken(),
    "beds_room": RoomMissing(),
}


@pytest.fixture(params=["sqlalchemy", "asyncpg"])
async def execute(request, databases):
    """Run one statement, by SQLAlchemy or straight by asyncpg."""
    connection = await asyncpg.connect(databases.superuser_dsn)

    async def connect():
        return connection

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    async with engine.connect() as lent:
        await connection.execute(TABLES)

        async def by_sqlalchemy(statement: str) -> None:
            await lent.execute(text(statement))

        yield by_sqlalchemy if request.param == "sqlalchemy" else connection.execute
    await engine.dispose()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("INSERT INTO rooms VALUES ('blue', 3)", RoomNameTaken),
        ("INSERT INTO rooms VALUES ('green', 2)", SizeTaken),
        ("INSERT INTO beds VALUES ('green')", RoomMissing),
    ],
)
async def test_the_constraint_that_broke_is_the_problem_that_is_raised(
    execute, statement, expected
):
    with pytest.raises(expected), conflicts(PROBLEMS):
        await execute(statement)


async def test_the_problem_keeps_what_it_was_made_with_and_what_it_came_from(execute):
    with pytest.raises(RoomNameTaken) as raised, conflicts(PROBLEMS):
        await execute("INSERT INTO rooms VALUES ('blue', 3)")

    assert raised.value.members() == {"room": "blue"}
    assert raised.value.__cause__ is not None


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO rooms VALUES ('green', 0)",  # A constraint that nobody named here.
        "INSERT INTO rooms VALUES ('green', NULL)",  # One that has no name to go by.
    ],
)
async def test_a_constraint_that_is_not_named_goes_on_up(execute, statement):
    with (
        pytest.raises((IntegrityError, asyncpg.IntegrityConstraintViolationError)),
        conflicts(PROBLEMS),
    ):
        await execute(statement)


async def test_an_error_that_is_no_conflict_goes_on_up(execute):
    with pytest.raises((ProgrammingError, asyncpg.UndefinedTableError)), conflicts(PROBLEMS):
        await execute("INSERT INTO nowhere VALUES (1)")


async def test_what_breaks_nothing_is_done(execute):
    with conflicts(PROBLEMS):
        await execute("INSERT INTO rooms VALUES ('green', 3)")
        await execute("INSERT INTO beds VALUES ('green')")
