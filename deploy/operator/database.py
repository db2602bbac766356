"""Asking the database server itself, as its superuser: what no service may see."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
from pydantic import SecretStr

from deploy.operator.errors import OperatorError
from deploy.operator.place import Installation
from deploy.postgres.bootstrap import DATABASE
from deploy.postgres.settings import BootstrapSettings
from shared.db.connecting import connect
from shared.tls import client_context

T = TypeVar("T")
TIMEOUT_S = 10.0


def ask_database(place: Installation, ask: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Return what the question finds. Raises OperatorError where no server can be asked."""
    note = place.note
    dsn = (note and note.superuser_dsn) or place.settings.environment.get("SUPERUSER_DATABASE_URL")
    if not dsn:
        raise OperatorError("no database is known here: SUPERUSER_DATABASE_URL names it")
    return asyncio.run(_asked(dsn, ask))


async def _asked(dsn: str, ask: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    try:
        files = BootstrapSettings(superuser_database_url=SecretStr(dsn)).postgres_tls
        secured = client_context(files) if files else None
        connection = await connect(dsn, secured, database=DATABASE, timeout=TIMEOUT_S)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        raise OperatorError(f"the database does not answer: {type(error).__name__}") from error
    try:
        return await ask(connection)
    finally:
        await connection.close()
