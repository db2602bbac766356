"""What the database itself refuses the service's role."""

import asyncpg
import pytest

from tests.services.auth.people import SignedIn, claims_of
from tests.support.database import Databases

pytestmark = pytest.mark.stack

TENANT_TABLES = ("users", "sessions", "attempts", "known_networks", "journal", "idempotency_keys")


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_without_a_tenant_no_row_is_seen(boss: SignedIn, databases: Databases, table: str):
    connection = await asyncpg.connect(databases.dsn("auth_app"))

    count = await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - listed above.

    await connection.close()
    assert count == 0


async def test_with_a_tenant_only_its_rows_are_seen(
    boss: SignedIn, platform_admin: SignedIn, databases: Databases
):
    connection = await asyncpg.connect(databases.dsn("auth_app"))
    tenant_id = claims_of(boss.access_token)["tid"]
    await connection.execute("SELECT set_config('app.tenant', $1, false)", tenant_id)

    ids = [str(row["id"]) for row in await connection.fetch("SELECT id FROM users")]

    await connection.close()
    assert ids == [boss.user["id"]]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM users",
        "DELETE FROM sessions",
        "DELETE FROM journal",
        "UPDATE journal SET actor = 'nobody'",
        "UPDATE tenants SET slug = 'x'",
        "UPDATE tenants SET currency = 'EUR'",
        "DELETE FROM tenants",
        "ALTER TABLE users ADD COLUMN x int",
        "ALTER TABLE users DISABLE ROW LEVEL SECURITY",
        "TRUNCATE sessions",
        "SELECT * FROM inventory.journal",
    ],
)
async def test_the_service_s_role_may_not(databases: Databases, statement: str):
    connection = await asyncpg.connect(databases.dsn("auth_app"))

    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedTableError)):
        await connection.execute(statement)

    await connection.close()
