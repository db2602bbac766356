"""A database of its own, as an earlier migration left it."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

import services.inventory
from shared.db.migrate import migrate
from tests.support.database import Databases, running_database

MIGRATIONS = Path(services.inventory.__path__[0]) / "migrations"
Migrated = tuple[asyncpg.Connection, Callable[[], Awaitable[object]]]


@asynccontextmanager
async def migrated_to(revision: str, folder: Path) -> AsyncIterator[Migrated]:
    """Give a superuser's connection, and the function that runs all later migrations."""
    earlier = folder / "migrations"
    earlier.mkdir()
    for path in MIGRATIONS.glob("[0-9]*.py"):
        if path.name[:4] <= revision:
            shutil.copy(path, earlier)
    with running_database(folder) as dsn:
        databases = Databases(dsn)
        await databases.bootstrap()
        owner = databases.dsn("stock_owner")
        await migrate("inventory", earlier, owner)
        connection = await asyncpg.connect(databases.superuser_dsn)

        async def finish() -> object:
            return await migrate("inventory", MIGRATIONS, owner)

        yield connection, finish
        await connection.close()
