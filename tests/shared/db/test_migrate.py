import asyncio

import asyncpg
import pytest

from shared.db import migrate

pytestmark = pytest.mark.stack

FOUNDATION = """
from shared.migrations.foundation import create_foundation

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_foundation("kiosk")
"""
CHANGE = """
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE TABLE kiosk.shelves (id uuid PRIMARY KEY)")
    op.execute("ALTER TABLE kiosk.checkpoints ADD COLUMN note text")
"""
SCHEMA = """
    CREATE ROLE kiosk_app NOINHERIT;
    CREATE SCHEMA kiosk AUTHORIZATION stock_owner"""


@pytest.fixture
async def superuser(databases):
    connection = await asyncpg.connect(databases.superuser_dsn)
    await connection.execute(SCHEMA)
    yield connection
    await connection.execute("DROP SCHEMA kiosk CASCADE; DROP ROLE kiosk_app")
    await connection.close()


@pytest.fixture
async def owner_dsn(databases, superuser, tmp_path):
    """A kiosk that is at its first migration, with a second one pending."""
    (tmp_path / "0001_foundation.py").write_text(FOUNDATION)
    await migrate.migrate("kiosk", tmp_path, databases.dsn("stock_owner"))
    (tmp_path / "0002_change.py").write_text(CHANGE)
    return databases.dsn("stock_owner")


async def revision(superuser: asyncpg.Connection) -> str:
    return await superuser.fetchval("SELECT version_num FROM kiosk.alembic_version")


async def test_a_migration_that_waits_for_a_table_gives_up_and_changes_nothing(
    superuser, owner_dsn, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT_S", 0.2)

    async with superuser.transaction():
        await superuser.execute("SELECT count(*) FROM kiosk.checkpoints")  # As a long report does.
        with pytest.raises(SystemExit) as ended:
            await asyncio.to_thread(migrate.main, "kiosk", tmp_path, owner_dsn)

    assert "run it again" in str(ended.value)
    assert await revision(superuser) == "0001"
    assert await superuser.fetchval("SELECT to_regclass('kiosk.shelves')") is None

    await asyncio.to_thread(migrate.main, "kiosk", tmp_path, owner_dsn)

    assert capsys.readouterr().out == "kiosk: migrated to 0002\n"
    assert await revision(superuser) == "0002"


async def test_of_several_at_once_one_migrates_and_the_others_find_it_done(
    superuser, owner_dsn, tmp_path
):
    done = await asyncio.gather(*(migrate.migrate("kiosk", tmp_path, owner_dsn) for _ in range(3)))

    assert sorted(done) == [False, False, True]
    assert await revision(superuser) == "0002"


async def test_a_fault_of_a_migration_is_told_as_it_is(superuser, owner_dsn, tmp_path):
    (tmp_path / "0002_change.py").write_text(CHANGE.replace("kiosk.checkpoints", "kiosk.nothing"))

    with pytest.raises(Exception, match="nothing"):
        await asyncio.to_thread(migrate.main, "kiosk", tmp_path, owner_dsn)

    assert await revision(superuser) == "0001"
