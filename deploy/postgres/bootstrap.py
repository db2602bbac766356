"""Bring a PostgreSQL server to the state that migrations expect; safe to run again.

Afterwards: the database, the roles with their passwords, one schema per service owned by
`stock_owner`, and no right for anybody else. See roles.sql and schemas.sql.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from deploy.postgres.scram import is_verifier_of, scram_verifier
from shared.db.connecting import connect

DATABASE = "stock"
SERVICES = ("auth", "inventory", "forecasting", "reporting")
BACKUP_ROLE = "stock_backup"
MONITOR_ROLE = "stock_monitor"
ROLES = ("stock_owner", *(f"{service}_app" for service in SERVICES), BACKUP_ROLE, MONITOR_ROLE)

_HERE = Path(__file__).parent
_LOCK = 0x73746F636B  # "stock": two bootstraps at once would race for the same roles.


async def bootstrap(
    superuser_dsn: str,
    passwords: Mapping[str, str],
    *,
    database: str = DATABASE,
    secured: ssl.SSLContext | None = None,
) -> None:
    """Create whatever is missing and set the passwords that differ.

    `passwords` maps each of ROLES to its clear password. Raises KeyError for a missing one,
    ValueError for one that is not printable ASCII, asyncpg errors as they come.
    """
    wanted = {role: passwords[role] for role in ROLES}
    maintenance = await connect(superuser_dsn, secured)
    try:
        await maintenance.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await maintenance.execute((_HERE / "roles.sql").read_text())
        await _set_passwords(maintenance, wanted)
        await _create_database(maintenance, database)
        inside = await connect(superuser_dsn, secured, database=database)
        try:
            async with inside.transaction():
                await inside.execute((_HERE / "schemas.sql").read_text())
        finally:
            await inside.close()
    finally:
        await maintenance.close()


async def _set_passwords(connection: asyncpg.Connection, wanted: Mapping[str, str]) -> None:
    rows = await connection.fetch(
        "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = ANY($1)", list(wanted)
    )
    for row in rows:
        role, password = row["rolname"], wanted[row["rolname"]]
        if not is_verifier_of(row["rolpassword"], password):
            # A verifier is base64 with `$` and `:`; ALTER ROLE takes no parameters.
            await connection.execute(f"ALTER ROLE {role} PASSWORD '{scram_verifier(password)}'")


async def _create_database(connection: asyncpg.Connection, database: str) -> None:
    exists = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database)
    if not exists:
        quoted = await connection.fetchval("SELECT quote_ident($1)", database)
        await connection.execute(f"CREATE DATABASE {quoted} ENCODING 'UTF8' TEMPLATE template0")
