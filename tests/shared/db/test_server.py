import asyncpg
import pytest
from prometheus_client import REGISTRY

from shared.db import Database
from shared.db.server import watch_disk, watch_server
from shared.settings import ServiceSettings

pytestmark = pytest.mark.stack


@pytest.fixture
async def database(databases, service_environment):
    settings = ServiceSettings(**service_environment, database_url=databases.dsn("reporting_app"))
    opened = Database.from_settings(settings)
    yield opened
    await opened.close()


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"db_server_{name}", labels)


async def test_a_service_sees_the_server_without_rights_of_its_own(database):
    await watch_server(database)

    assert value("transaction_id_age") > 0
    assert 0 < value("connections") <= value("connections_max")
    assert value("archive_failing") == 0
    assert value("wal_position_bytes") > 0


async def test_a_slot_that_nobody_reads_is_shown_until_it_is_gone(database, databases):
    superuser = await asyncpg.connect(databases.superuser_dsn)
    await superuser.execute("SELECT pg_create_physical_replication_slot('left_over', true)")
    await watch_server(database)
    shown = value("slot_active", slot="left_over"), value("slot_lost", slot="left_over")
    await superuser.execute("SELECT pg_drop_replication_slot('left_over')")
    await superuser.close()
    await watch_server(database)

    assert shown == (0, 0)
    assert value("slot_active", slot="left_over") is None


def test_the_disk_is_that_of_the_folder(tmp_path):
    watch_disk(tmp_path / "missing")
    watch_disk(tmp_path)

    assert 0 < REGISTRY.get_sample_value("disk_free_ratio", {"folder": tmp_path.name}) < 1
    assert REGISTRY.get_sample_value("disk_free_ratio", {"folder": "missing"}) is None
