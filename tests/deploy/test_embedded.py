"""The embedded servers for real, and what the bootstrap leaves behind in the database."""

import asyncio
import secrets
import socket

import asyncpg
import pytest

from deploy.local.postgres import SOCKET_PATH_MAX
from deploy.local.stack import embedded_postgres, embedded_valkey
from deploy.postgres.bootstrap import BACKUP_ROLE, ROLES, SERVICES, bootstrap
from tests.support.ports import reserved_port

pytestmark = [pytest.mark.stack, pytest.mark.slow]

PASSWORDS = {role: secrets.token_hex(16) for role in ROLES}


def as_role(superuser_dsn, role, password=None, database="stock"):
    secret = PASSWORDS[role] if password is None else password
    return superuser_dsn.replace("postgres@/postgres", f"{role}:{secret}@/{database}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with embedded_postgres(tmp_path_factory.mktemp("pg") / "data") as superuser_dsn:
        asyncio.run(bootstrap(superuser_dsn, PASSWORDS))
        yield superuser_dsn


@pytest.fixture
async def connect(server):
    opened = []

    async def open_as(role, **options):
        opened.append(await asyncpg.connect(as_role(server, role, **options)))
        return opened[-1]

    yield open_as
    for connection in opened:
        await connection.close()


@pytest.mark.parametrize("password", ["", "wrong"])
@pytest.mark.parametrize("role", ROLES)
async def test_role_cannot_connect_without_its_password(connect, role, password):
    with pytest.raises(asyncpg.InvalidPasswordError):
        await connect(role, password=password)


@pytest.mark.parametrize("role", ROLES)
async def test_role_connects_with_its_password_and_has_no_power(connect, role):
    connection = await connect(role)

    power = await connection.fetchrow(
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
        " FROM pg_roles WHERE rolname = current_user"
    )
    may = [name for name, has in power.items() if has]
    assert may == (["rolreplication"] if role == BACKUP_ROLE else [])


async def test_password_is_stored_as_scram(server):
    connection = await asyncpg.connect(server)

    stored = await connection.fetch(
        "SELECT rolpassword FROM pg_authid WHERE rolname = ANY($1)", list(ROLES)
    )
    await connection.close()

    assert len(stored) == len(ROLES)
    assert all(row["rolpassword"].startswith("SCRAM-SHA-256$") for row in stored)


@pytest.mark.parametrize("service", SERVICES)
async def test_service_sees_its_schema_only(connect, service):
    connection = await connect(f"{service}_app")

    usable = await connection.fetch(
        "SELECT name FROM unnest($1::text[]) AS name"
        " WHERE has_schema_privilege(name, 'USAGE') ORDER BY name",
        list(SERVICES),
    )
    assert [row["name"] for row in usable] == [service]
    assert await connection.fetchval("SHOW search_path") == f"{service}, public"


async def test_service_cannot_read_a_table_of_another(connect):
    owner = await connect("stock_owner")
    await owner.execute(
        "CREATE TABLE IF NOT EXISTS auth.secrets_here (id int);"
        " GRANT SELECT ON auth.secrets_here TO PUBLIC"
    )
    reporting, auth = await connect("reporting_app"), await connect("auth_app")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reporting.fetch("SELECT * FROM auth.secrets_here")
    assert await auth.fetch("SELECT * FROM auth.secrets_here") == []


@pytest.mark.parametrize("schema", ["auth", "inventory", "public"])
async def test_service_cannot_create_tables_anywhere(connect, schema):
    connection = await connect("auth_app")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(f"CREATE TABLE {schema}.mine (id int)")


async def test_service_cannot_create_schemas_or_temporary_tables(connect):
    connection = await connect("auth_app")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("CREATE SCHEMA mine")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("CREATE TEMPORARY TABLE mine (id int)")


async def test_other_role_cannot_connect_to_the_database(server, connect):
    superuser = await asyncpg.connect(server)
    await superuser.execute("DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN PASSWORD 'x'")
    await superuser.close()

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="CONNECT"):
        await asyncpg.connect(server.replace("postgres@/postgres", "stranger:x@/stock"))


async def test_trigram_search_is_there_for_all(connect):
    connection = await connect("inventory_app")

    assert await connection.fetchval("SELECT similarity('pasta', 'paste')") > 0.3


async def test_second_bootstrap_changes_nothing_but_a_new_password(server, connect):
    before = await _verifiers(server)
    await bootstrap(server, PASSWORDS)
    assert await _verifiers(server) == before

    await bootstrap(server, {**PASSWORDS, "auth_app": "another"})
    try:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await connect("auth_app")
        await connect("auth_app", password="another")
    finally:
        await bootstrap(server, PASSWORDS)


async def _verifiers(server):
    connection = await asyncpg.connect(server)
    try:
        rows = await connection.fetch("SELECT rolname, rolpassword FROM pg_authid ORDER BY 1")
        return {row["rolname"]: row["rolpassword"] for row in rows}
    finally:
        await connection.close()


async def test_bootstrap_without_a_password_changes_nothing(server):
    with pytest.raises(KeyError, match="auth_app"):
        await bootstrap(server, {"stock_owner": "x"}, database="never_made")

    connection = await asyncpg.connect(server)
    found = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = 'never_made'")
    await connection.close()
    assert found is None


async def test_data_survive_a_restart_and_durability_is_on(tmp_path):
    with embedded_postgres(tmp_path / "data") as dsn:
        connection = await asyncpg.connect(dsn)
        await connection.execute("CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)")
        await connection.close()

    with embedded_postgres(tmp_path / "data") as dsn:
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SELECT id FROM kept") == 7
        assert await connection.fetchval("SHOW fsync") == "on"
        assert await connection.fetchval("SHOW listen_addresses") == ""
        await connection.close()


async def test_superuser_is_told_by_the_account_not_by_the_shell(tmp_path, monkeypatch):
    monkeypatch.setenv("USER", "somebody-else")
    monkeypatch.setenv("LOGNAME", "somebody-else")

    with embedded_postgres(tmp_path / "data") as dsn:
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SELECT current_user") == "postgres"
        await connection.close()


async def test_long_checkout_path_gets_a_short_socket(tmp_path):
    deep = tmp_path / ("x" * SOCKET_PATH_MAX)

    with embedded_postgres(deep / "data") as dsn, embedded_valkey(deep / "valkey") as url:
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
        assert str(deep) not in dsn + url


def test_valkey_listens_on_a_port_when_asked():
    with reserved_port() as port:
        with (
            embedded_valkey(port=port) as url,
            socket.create_connection(("127.0.0.1", port)) as connection,
        ):
            connection.sendall(b"PING\r\n")
            assert connection.recv(16).startswith(b"+PONG")
            assert url == f"redis://127.0.0.1:{port}/0"

        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
