"""The two servers, and what is the same for all that is asked of them."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
from pydantic import SecretStr

from deploy.mirror.errors import MirrorError
from deploy.postgres.bootstrap import DATABASE, ROLES
from deploy.postgres.settings import BootstrapSettings
from shared.db.connecting import connect
from shared.tls import client_context

ROLE = "stock_mirror"  # Reads on the primary, writes on the mirror.
SUBSCRIPTION = "stock_mirror"  # Its slot has the same name.
ROWS, INSERTS = "stock_mirror_rows", "stock_mirror_inserts"  # The publications.
WRITERS = tuple(ROLES)
APP_ROLES = tuple(role for role in ROLES if role != "stock_owner")  # The owner migrates a mirror.

# Texts of rows are compared, so both servers must write them alike.
_ALIKE = {
    "timezone": "UTC",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "search_path": "pg_catalog",
    "default_transaction_read_only": "off",
    "application_name": "mirror",
}


@dataclass(frozen=True)
class Ends:
    """Where superusers reach the two servers, and where the mirror reaches the primary."""

    primary: str
    mirror: str
    primary_from_mirror: str = ""
    database: str = DATABASE

    @property
    def subscription_dsn(self) -> str:
        return self.primary_from_mirror or self.primary


@asynccontextmanager
async def connected(dsn: str, database: str = DATABASE) -> AsyncIterator[asyncpg.Connection]:
    """Connect as the address says; raises MirrorError where nobody answers."""
    try:
        files = BootstrapSettings(superuser_database_url=SecretStr(dsn)).postgres_tls
        secured = client_context(files) if files else None
        connection = await connect(
            dsn, secured, database=database, server_settings=_ALIKE, timeout=15
        )
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        where = urlsplit(dsn).hostname or "its socket"
        raise MirrorError(
            f"PostgreSQL at {where} does not answer: {error}. See that it runs, and its address."
        ) from error
    try:
        yield connection
    finally:
        await connection.close()


def dsn_as(dsn: str, role: str, password: str, database: str = DATABASE) -> str:
    """Return an address with another role and database."""
    parts = urlsplit(dsn)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(
        (parts.scheme, f"{role}:{quote(password)}@{place}", f"/{database}", parts.query, "")
    )


def fresh_password() -> str:
    return secrets.token_hex(32)


async def freeze(connection: asyncpg.Connection, roles: tuple[str, ...]) -> None:
    """Let these roles read only from now on: their sessions end, new ones cannot write.

    Returns once none is left that began before.
    """
    await _set_read_only(connection, roles, "SET default_transaction_read_only = on")
    since = await connection.fetchval("SELECT clock_timestamp()")
    await connection.fetch(_END_SESSIONS, list(roles), since)
    if await connection.fetchval(_SESSIONS_LEFT, list(roles), since):
        raise MirrorError("A session that may write does not end; look at pg_stat_activity.")


async def thaw(connection: asyncpg.Connection, roles: tuple[str, ...]) -> None:
    """Let these roles write again; sessions that only read end, so that none stays so."""
    await _set_read_only(connection, roles, "RESET default_transaction_read_only")
    since = await connection.fetchval("SELECT clock_timestamp()")
    await connection.fetch(_END_SESSIONS, list(roles), since)


async def is_frozen(connection: asyncpg.Connection, roles: tuple[str, ...]) -> bool:
    """Say whether all of these roles may only read."""
    frozen: int = await connection.fetchval(_COUNT_FROZEN, list(roles))
    return frozen == len(roles)


async def _set_read_only(
    connection: asyncpg.Connection, roles: tuple[str, ...], change: str
) -> None:
    database = await connection.fetchval("SELECT quote_ident(current_database())")
    async with connection.transaction():
        for role in roles:
            await connection.execute(f"ALTER ROLE {role} IN DATABASE {database} {change}")


# Waits for each to be gone, 10 s at most.
_END_SESSIONS = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE usename = ANY($1) AND datname = current_database() AND backend_start < $2"""
_SESSIONS_LEFT = """
    SELECT count(*) FROM pg_stat_activity
    WHERE usename = ANY($1) AND datname = current_database() AND backend_start < $2"""
_COUNT_FROZEN = """
    SELECT count(*) FROM pg_db_role_setting s
    JOIN pg_roles r ON r.oid = s.setrole JOIN pg_database d ON d.oid = s.setdatabase
    WHERE d.datname = current_database() AND r.rolname = ANY($1)
      AND 'default_transaction_read_only=on' = ANY(s.setconfig)"""
