"""Making a mirror: roles and schemas there, publications here, a subscription, the first copy."""

import asyncio
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from deploy.mirror.errors import MirrorError
from deploy.mirror.servers import (
    APP_ROLES,
    INSERTS,
    ROLE,
    ROWS,
    SUBSCRIPTION,
    Ends,
    connected,
    dsn_as,
    freeze,
    fresh_password,
    is_frozen,
    thaw,
)
from deploy.mirror.tables import (
    SCHEMAS,
    Table,
    differences_of_shape,
    list_tables,
    require_insert_only,
)
from deploy.postgres.bootstrap import ROLES, SERVICES, bootstrap
from deploy.postgres.scram import scram_verifier
from shared.db.migrate import migrate

Say = Callable[[str], None]
COPY_POLL_S = 0.5


async def set_up(ends: Ends, *, wal_keep_mb: int, empty: bool, say: Say) -> None:
    """Make the mirror, or bring it up to what the primary has now; returns once it follows.

    Safe to run again: after migrations it is how new tables join. `empty` throws away what lies
    in a database that is not this primary's mirror yet. Raises MirrorError.
    """
    async with connected(ends.primary, ends.database) as primary:
        await _require_ready(primary)
        tables = await list_tables(primary)
        await require_insert_only(primary)
        say("Mirror       roles, schemas, migrations")
        await _prepare_mirror(ends, primary)
        async with connected(ends.mirror, ends.database) as mirror:
            found = differences_of_shape(tables, await list_tables(mirror))
            if found:
                raise MirrorError(
                    f"{'; '.join(found)}. Run this with the code of the primary's release."
                )
            await freeze(mirror, APP_ROLES)
            is_new = not await mirror.fetchval(_HAS_SUBSCRIPTION, SUBSCRIPTION)
            if is_new:
                await _require_empty(mirror, tables, empty=empty)
            password = fresh_password()
            await _prepare_role(primary, password, publishes=True)
            await _prepare_role(mirror, password, publishes=False)
            await _bound_wal(primary, wal_keep_mb, say)
            await _publish(primary, tables)
            say(f"Primary      {len(tables)} tables are published")
            await _subscribe(mirror, dsn_as(ends.subscription_dsn, ROLE, password, ends.database))
            await _wait_for_copy(mirror, len(tables), say)


async def _require_ready(primary: asyncpg.Connection) -> None:
    level = await primary.fetchval("SELECT current_setting('wal_level')")
    if level != "logical":
        raise MirrorError(
            f"The primary has wal_level={level}; set it to logical and restart PostgreSQL."
        )
    if await is_frozen(primary, APP_ROLES):
        raise MirrorError(
            "The primary may only be read: it is a mirror, or was one's primary; see whether the "
            "two addresses are to be exchanged."
        )


async def _require_empty(mirror: asyncpg.Connection, tables: list[Table], *, empty: bool) -> None:
    names = ", ".join(table.name for table in tables)
    if empty:
        await mirror.execute(f"TRUNCATE {names}")
        return
    for table in tables:
        if await mirror.fetchval(f"SELECT EXISTS (SELECT FROM {table.name})"):  # noqa: S608 - a name from the catalogue.
            raise MirrorError(
                f"{table.name} of the mirror holds rows, and it follows nobody; if they may go, "
                "say --empty."
            )


async def _prepare_mirror(ends: Ends, primary: asyncpg.Connection) -> None:
    """Bootstrap and migrate the mirror; roles have there the passwords that they have here."""
    passwords = {role: fresh_password() for role in ROLES}
    async with connected(ends.mirror, "postgres") as maintenance:
        system = "SELECT system_identifier FROM pg_control_system()"
        if await maintenance.fetchval(system) == await primary.fetchval(system):
            raise MirrorError(
                "MIRROR_DATABASE_URL leads to the primary's own server; give another's address."
            )
    maintenance_dsn = _with_database(ends.mirror, "postgres")
    await bootstrap(maintenance_dsn, passwords, database=ends.database)
    async with connected(ends.mirror, ends.database) as mirror:
        await thaw(mirror, ("stock_owner",))
        owner = dsn_as(ends.mirror, "stock_owner", passwords["stock_owner"], ends.database)
        try:
            for service in SERVICES:
                folder = Path(import_module(f"services.{service}").__path__[0]) / "migrations"
                await migrate(service, folder, owner)
        finally:
            rows = await primary.fetch(_VERIFIERS, list(ROLES))
            for row in rows:
                await mirror.execute(f"ALTER ROLE {row['rolname']} PASSWORD '{row['verifier']}'")


def _with_database(dsn: str, database: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))


async def _prepare_role(connection: asyncpg.Connection, password: str, *, publishes: bool) -> None:
    database = await connection.fetchval("SELECT quote_ident(current_database())")
    async with connection.transaction():
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", ROLE):
            await connection.execute(f"CREATE ROLE {ROLE}")
        await connection.execute(
            f"ALTER ROLE {ROLE} LOGIN REPLICATION BYPASSRLS INHERIT NOSUPERUSER NOCREATEDB "
            f"NOCREATEROLE CONNECTION LIMIT 16 PASSWORD '{scram_verifier(password)}'"
        )
        await connection.execute(f"GRANT CONNECT ON DATABASE {database} TO {ROLE}")
        await connection.execute(f"GRANT pg_read_all_data TO {ROLE}")
        if publishes:
            await connection.execute(f"REVOKE pg_write_all_data FROM {ROLE}")
            return
        await connection.execute(f"GRANT pg_write_all_data, pg_create_subscription TO {ROLE}")
        await connection.execute(f"GRANT CREATE ON DATABASE {database} TO {ROLE}")
        for schema in SCHEMAS:
            await connection.execute(f"GRANT TRUNCATE ON ALL TABLES IN SCHEMA {schema} TO {ROLE}")
            await connection.execute(
                f"ALTER DEFAULT PRIVILEGES FOR ROLE stock_owner IN SCHEMA {schema} "
                f"GRANT TRUNCATE ON TABLES TO {ROLE}"
            )


async def _bound_wal(primary: asyncpg.Connection, keep_mb: int, say: Say) -> None:
    """Bound what the primary keeps for a mirror that is away; a limit set by a person stays."""
    if await primary.fetchval("SELECT current_setting('max_slot_wal_keep_size')") != "-1":
        return
    await primary.execute(f"ALTER SYSTEM SET max_slot_wal_keep_size = '{keep_mb}MB'")
    await primary.execute("SELECT pg_reload_conf()")
    say(f"Primary      keeps at most {keep_mb:,} MB of its log for a mirror that is away")


async def _publish(primary: asyncpg.Connection, tables: list[Table]) -> None:
    keyed = [table.name for table in tables if table.has_key]
    keyless = [table.name for table in tables if not table.has_key]
    for name, listed, publish in (
        (ROWS, keyed, "insert, update, delete, truncate"),
        (INSERTS, keyless, "insert"),
    ):
        names = ", ".join(listed)
        if await primary.fetchval("SELECT 1 FROM pg_publication WHERE pubname = $1", name):
            await primary.execute(f"ALTER PUBLICATION {name} SET TABLE {names}")
        else:
            await primary.execute(
                f"CREATE PUBLICATION {name} FOR TABLE {names} "
                f"WITH (publish = '{publish}', publish_via_partition_root = true)"
            )


async def _subscribe(mirror: asyncpg.Connection, dsn: str) -> None:
    conninfo = await mirror.fetchval("SELECT quote_literal($1)", dsn)
    for name in (ROWS, INSERTS):  # Of when this was the primary.
        await mirror.execute(f"DROP PUBLICATION IF EXISTS {name}")
    if await mirror.fetchval(_HAS_SUBSCRIPTION, SUBSCRIPTION):
        await mirror.execute(f"ALTER SUBSCRIPTION {SUBSCRIPTION} CONNECTION {conninfo}")
        await mirror.execute(f"ALTER SUBSCRIPTION {SUBSCRIPTION} ENABLE")
        await mirror.execute(f"ALTER SUBSCRIPTION {SUBSCRIPTION} REFRESH PUBLICATION")
        return
    try:
        await mirror.execute(
            f"CREATE SUBSCRIPTION {SUBSCRIPTION} CONNECTION {conninfo} "
            f"PUBLICATION {ROWS}, {INSERTS} "
            "WITH (enabled = false, run_as_owner = true, binary = true, streaming = parallel)"
        )
    except asyncpg.PostgresError as error:
        raise MirrorError(
            f"The mirror could not subscribe: {error}. MIRROR_PRIMARY_URL is how it reaches the "
            "primary."
        ) from error
    await mirror.execute(f"ALTER SUBSCRIPTION {SUBSCRIPTION} OWNER TO {ROLE}")
    await mirror.execute(f"ALTER SUBSCRIPTION {SUBSCRIPTION} ENABLE")


async def _wait_for_copy(mirror: asyncpg.Connection, count: int, say: Say) -> None:
    said = None
    while (ready := await mirror.fetchval(_READY)) < count:
        errors = await mirror.fetchval(_SYNC_ERRORS, SUBSCRIPTION) or 0
        if (ready, errors) != said:
            say(f"Copying      {ready} of {count} tables follow")
            if errors:
                say(f"Copying      {errors} failed tries; the mirror's log has the reason")
            said = ready, errors
        await asyncio.sleep(COPY_POLL_S)
    say(f"Copied       {count} tables; the mirror follows")


_HAS_SUBSCRIPTION = """
    SELECT 1 FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
    WHERE s.subname = $1 AND d.datname = current_database()"""
_VERIFIERS = """
    SELECT rolname, rolpassword AS verifier FROM pg_authid
    WHERE rolname = ANY($1) AND rolpassword IS NOT NULL"""
_READY = """
    SELECT count(*) FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid
    JOIN pg_database d ON d.oid = s.subdbid
    WHERE d.datname = current_database() AND r.srsubstate = 'r'"""
_SYNC_ERRORS = "SELECT sync_error_count FROM pg_stat_subscription_stats WHERE subname = $1"
