"""Who watches the database reads what the server tells of itself, and no row of anybody's."""

import os
import shutil
import subprocess

import asyncpg
import httpx
import pytest

from deploy.local.settings import ROOT
from deploy.postgres.bootstrap import MONITOR_ROLE, SERVICES
from tests.support.ports import reserved_ports
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack
EXPORTER = "prometheus-postgres-exporter"
# What the collectors that postgres_exporter has on unasked, and the one that compose adds, read.
VIEWS = (
    "pg_database", "pg_locks", "pg_replication_slots", "pg_roles", "pg_settings",
    "pg_stat_activity", "pg_stat_archiver", "pg_stat_bgwriter", "pg_stat_database",
    "pg_stat_database_conflicts", "pg_stat_progress_vacuum", "pg_stat_replication",
    "pg_stat_user_tables", "pg_statio_user_tables", "pg_stat_checkpointer",
)  # fmt: skip
FIGURES = (
    "SELECT sum(pg_database_size(datname)) FROM pg_database",
    "SELECT sum(pg_table_size(relid) + pg_indexes_size(relid)) FROM pg_stat_user_tables",
    "SELECT count(*) + sum(size) FROM pg_ls_waldir()",
    "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')",
    "SELECT count(*) FROM pg_stat_activity WHERE usename <> current_user AND state IS NOT NULL",
)


@pytest.fixture
async def monitor(databases):
    connection = await asyncpg.connect(databases.dsn(MONITOR_ROLE))
    yield connection
    await connection.close()


@pytest.mark.parametrize("view", VIEWS)
async def test_it_reads_what_the_server_tells(monitor, view):
    if view == "pg_stat_checkpointer" and monitor.get_server_version().major < 17:
        pytest.skip("came with PostgreSQL 17")

    await monitor.fetch(f"SELECT * FROM {view}")  # noqa: S608 - our own list.


@pytest.mark.parametrize("statement", FIGURES)
async def test_it_sees_figures_of_everybody(monitor, superuser, statement):
    assert await superuser.fetchval("SELECT 1")  # Somebody else is there.

    assert await monitor.fetchval(statement) > 0


@pytest.mark.asvs("F05")
@pytest.mark.parametrize("service", SERVICES)
async def test_it_reads_no_row(monitor, superuser, service):
    tables = await superuser.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables "
        "WHERE schemaname = $1",
        service,
    )

    assert len(tables) > 5
    for row in tables:
        assert not await superuser.fetchval(
            "SELECT has_table_privilege($1, $2, 'SELECT')", MONITOR_ROLE, row["name"]
        ), row["name"]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await monitor.fetch(f"SELECT * FROM {service}.journal")  # noqa: S608 - our own names.


@pytest.mark.asvs("F05")
async def test_it_is_in_pg_monitor_and_nothing_else(superuser):
    told = await superuser.fetchrow(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolconnlimit "
        "FROM pg_roles WHERE rolname = $1",
        MONITOR_ROLE,
    )
    groups = await superuser.fetch(
        "SELECT roleid::regrole::text AS name FROM pg_auth_members WHERE member = $1::regrole",
        MONITOR_ROLE,
    )

    assert [row["name"] for row in groups] == ["pg_monitor"]
    assert tuple(told) == (False, False, False, False, False, 3)


async def test_it_changes_nothing(monitor, superuser):
    other = await superuser.fetchval("SELECT pg_backend_pid()")
    for statement in (
        "CREATE TABLE public.mine (id int)", "CREATE TEMP TABLE mine (id int)",
        f"SELECT pg_terminate_backend({other})", "ALTER SYSTEM SET work_mem = '1MB'",
        "SELECT pg_read_file('pg_hba.conf')", "SELECT pg_advisory_lock(1)",
    ):  # fmt: skip
        with pytest.raises(asyncpg.PostgresError):
            await monitor.execute(statement)


@pytest.mark.skipif(shutil.which(EXPORTER) is None, reason=f"{EXPORTER} is not installed")
async def test_the_exporter_reads_its_figures_as_this_role(databases, monitor, tmp_path):
    compose = (ROOT / "docker-compose.yml").read_text()
    (tmp_path / "password").write_text(f"{databases.password(MONITOR_ROLE)}\n")
    folder = databases.superuser_dsn.partition("host=")[2].partition("&")[0]
    told = {
        "DATA_SOURCE_URI": f"/stock?host={folder}&sslmode=disable",
        "DATA_SOURCE_USER": MONITOR_ROLE,
        "DATA_SOURCE_PASS_FILE": str(tmp_path / "password"),
    }
    with reserved_ports(1) as [port], (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: ASYNC220, S603 - our own words.
            [EXPORTER, f"--web.listen-address=127.0.0.1:{port}"],
            env={**told, "PATH": os.environ["PATH"]},
            stdout=log,
            stderr=log,
        )
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                lines = await eventually(lambda: _scrape(client))
        finally:
            process.kill()
            process.wait()

    assert all(f"{name}: " in compose for name in told)
    assert "pg_up 1" in lines
    assert "pg_exporter_last_scrape_error 0" in lines
    assert any(line.startswith('pg_database_size_bytes{datname="stock"') for line in lines)


async def _scrape(client):
    try:
        return (await client.get("/metrics")).text.splitlines()
    except httpx.TransportError:
        return []
