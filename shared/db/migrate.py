"""Bringing a service's schema up to what its code expects, as the owner."""

import asyncio
import ssl
import sys
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

import shared
from shared.db.connecting import connect
from shared.db.months import MONTHS_AHEAD
from shared.db.revisions import head_revision

# A migration that waits for a lock holds up everything behind it, so it gives up soon: to be run
# again is better than to stop a service.
LOCK_TIMEOUT_S = 5.0


async def migrate(
    schema: str, migrations: Path, owner_dsn: str, secured: ssl.SSLContext | None = None
) -> bool:
    """Run what is pending and add coming months, in one transaction; say whether any was pending.

    One runs at a time for each schema; a second waits for it. Raises DBAPIError, with
    nothing changed, when a table stays in use for longer than LOCK_TIMEOUT_S.
    """
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=partial(connect, owner_dsn, secured),
        hide_parameters=True,
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(_ONE_AT_A_TIME, {"schema": schema})
            await connection.execute(text(f"SET search_path = {schema}, public"))
            await connection.execute(_WAIT_AT_MOST, {"wait": f"{LOCK_TIMEOUT_S * 1000:.0f}ms"})
            is_pending = await _revision(connection, schema) != head_revision(migrations)
            if is_pending:
                await connection.run_sync(_upgrade, schema, migrations)
            await connection.execute(text(f"SELECT {schema}.keep_partitions({MONTHS_AHEAD})"))
            await connection.execute(
                text(f"GRANT SELECT ON {schema}.alembic_version TO {schema}_app")
            )
            return is_pending
    finally:
        await engine.dispose()


def main(
    schema: str, migrations: Path, owner_dsn: str, secured: ssl.SSLContext | None = None
) -> None:
    try:
        done = asyncio.run(migrate(schema, migrations, owner_dsn, secured))
    except DBAPIError as error:
        if not is_lock_timeout(error):
            raise
        sys.exit(f"{schema}: not migrated, a table is in use; nothing was changed, run it again")
    print(f"{schema}: {'migrated to' if done else 'already at'} {head_revision(migrations)}")  # noqa: T201 - for the person who ran it.


def is_lock_timeout(error: DBAPIError) -> bool:
    """Say whether a statement gave up because somebody else held the lock it needs."""
    return isinstance(error.orig, BaseException) and isinstance(
        error.orig.__cause__, asyncpg.LockNotAvailableError
    )


def _upgrade(connection: Connection, schema: str, migrations: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(shared.__file__).parent / "migrations"))
    config.set_main_option("version_locations", str(migrations))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, schema=schema)
    command.upgrade(config, "head")


async def _revision(connection: Any, schema: str) -> str | None:  # noqa: ANN401 - async connection.
    if await connection.scalar(_HAS_VERSION, {"table": f"{schema}.alembic_version"}) is None:
        return None
    revision: str | None = await connection.scalar(
        text(f"SELECT version_num FROM {schema}.alembic_version")  # noqa: S608 - our own name.
    )
    return revision


_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('migrate:' || :schema))")
_WAIT_AT_MOST = text("SELECT set_config('lock_timeout', :wait, true)")
_HAS_VERSION = text("SELECT to_regclass(:table)")
