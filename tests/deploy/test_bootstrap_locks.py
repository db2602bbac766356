"""What one service's role can do to another: take its locks, its queue, all connections."""

import re

import asyncpg
import pytest

from deploy.postgres.bootstrap import SERVICES
from tests.support.tree import python_files, shown

pytestmark = pytest.mark.stack

LOCK_FUNCTIONS = """
    SELECT oid::regprocedure::text AS function
    FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
      AND proname ~ '^pg_(try_)?advisory_(xact_)?lock'"""


@pytest.fixture
async def connect(databases):
    opened = []

    async def open_as(role):
        opened.append(await asyncpg.connect(databases.dsn(role)))
        return opened[-1]

    yield open_as
    for connection in opened:
        await connection.close()


@pytest.mark.asvs("F05")
@pytest.mark.parametrize("service", SERVICES)
async def test_no_service_takes_a_lock_of_the_whole_database(superuser, service):
    functions = [row["function"] for row in await superuser.fetch(LOCK_FUNCTIONS)]

    allowed = [
        name
        for name in functions
        if await superuser.fetchval(
            "SELECT has_function_privilege($1, $2, 'EXECUTE')", f"{service}_app", name
        )
    ]

    assert len(functions) == 16
    assert allowed == []


@pytest.mark.asvs("F05")
async def test_a_lock_of_one_service_is_in_nobody_elses_way(connect):
    """Reporting holds its own of every name that inventory's sealer may want."""
    inventory, reporting = await connect("inventory_app"), await connect("reporting_app")
    async with reporting.transaction(), inventory.transaction():
        assert await reporting.fetchval("SELECT try_lock('sealer')")

        assert await inventory.fetchval("SELECT try_lock('sealer')")
    for name in ("try_lock", "wait_lock", "wait_lock_shared"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reporting.fetchval(f"SELECT inventory.{name}('sealer')")


async def test_a_lock_of_a_service_holds_among_its_own(connect):
    one, other = await connect("inventory_app"), await connect("inventory_app")
    async with one.transaction():
        await one.execute("SELECT wait_lock('sealer')")

        assert not await other.fetchval("SELECT try_lock('sealer')")
        assert await other.fetchval("SELECT try_lock('another')")
    assert await other.fetchval("SELECT try_lock('sealer')")


async def test_the_locks_of_schemas_are_numbered_apart(connect):
    owner = await connect("stock_owner")

    numbers = await owner.fetch(
        "SELECT DISTINCT hashtext(name) & 255 FROM unnest($1::text[]) AS name", list(SERVICES)
    )

    assert len(numbers) == len(SERVICES)


@pytest.mark.asvs("F05")
async def test_no_service_can_take_all_connections(superuser):
    limits = await superuser.fetch(
        "SELECT rolname, rolconnlimit FROM pg_roles WHERE rolname ~ '_app$|^stock_owner$' "
        "AND rolname <> 'shop_app' AND rolname <> 'kiosk_app'"
    )
    most = int(await superuser.fetchval("SHOW max_connections"))
    kept = int(await superuser.fetchval("SHOW superuser_reserved_connections"))

    assert len(limits) == len(SERVICES) + 1
    assert all(row["rolconnlimit"] > 0 for row in limits)
    assert sum(row["rolconnlimit"] for row in limits) <= most - kept


@pytest.mark.asvs("F05")
@pytest.mark.parametrize("service", SERVICES)
async def test_the_verifier_of_a_service_signs_in_nowhere_and_changes_nothing(superuser, service):
    role = f"{service}_verifier"
    rights = await superuser.fetch(
        "SELECT DISTINCT table_schema, privilege_type FROM information_schema.table_privileges "
        "WHERE grantee = $1",
        role,
    )

    assert not await superuser.fetchval("SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", role)
    assert [tuple(row) for row in rights] == [(service, "SELECT")]
    for other in set(SERVICES) - {service}:
        assert not await superuser.fetchval(
            "SELECT pg_has_role($1, $2, 'SET')", f"{other}_app", role
        )


@pytest.mark.asvs("F05")
async def test_the_queue_is_its_services_alone(connect):
    reporting = await connect("reporting_app")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reporting.fetch("SELECT * FROM forecasting.pgqueuer")


def test_no_code_asks_for_a_lock_of_the_whole_database():
    """A service's role may not; `wait_lock`, `wait_lock_shared` and `try_lock` are its own."""
    makers = {
        "shared/migrations/evidence.py",
        "shared/db/migrate.py",
        "services/forecasting/queue.py",
    }
    found = {
        shown(path)
        for path in python_files()
        if shown(path).startswith(("shared/", "services/"))
        and re.search(r"pg_(try_)?advisory_(xact_)?lock", path.read_text())
    }

    assert found == makers
