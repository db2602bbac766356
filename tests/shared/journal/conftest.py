import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared import journal
from shared.db import Database, Stamp
from shared.journal import Entry, checkpoint
from shared.journal.checkpoint import seal
from shared.journal.notes import SigningKey
from shared.settings import ServiceSettings
from tests.support.archives import clear_years, fill_years, retention
from tests.support.database import Databases
from tests.support.waiting import PATIENCE_S

KEY = SigningKey.from_hex("reporting", "11" * 32)
OTHER_KEY = SigningKey.from_hex("reporting", "44" * 32)
SIZE = 4  # Entries in a checkpoint here, so that a few make a chain.
TABLES = (
    "reporting.journal, reporting.checkpoints, reporting.verifications, "
    "reporting.journal_archives, reporting.feed_readers, reporting.retention_runs"
)


@pytest.fixture(scope="session")
async def superuser(databases: Databases) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(databases.superuser_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def database(
    databases: Databases, service_environment: dict[str, str], superuser: asyncpg.Connection
) -> AsyncIterator[Database]:
    """Reporting's schema, whose journal no other test writes to, empty before and after."""
    settings = ServiceSettings(**service_environment, database_url=databases.dsn("reporting_app"))
    opened = Database.from_settings(settings)
    await superuser.execute(f"TRUNCATE {TABLES}")
    yield opened
    await opened.close()
    await superuser.execute(f"TRUNCATE {TABLES}")


class Noted(Entry):
    """Something to fill a journal with."""

    name: ClassVar[str] = "test.noted.v1"
    text: str

    @property
    def subject(self) -> str:
        return "note:1"


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SIZE_MAX", SIZE)


@pytest.fixture
def note(database):
    async def write(*texts: str, tenant: UUID | None = None) -> None:
        stamp = Stamp(tenant or uuid4(), "user:test", "request-1")
        async with database.transaction(stamp) as session:
            for text in texts:
                journal.record(session, Noted(text=text))

    return write


@pytest.fixture
async def sealed(database, note, small, superuser):
    """Ten entries in three checkpoints; gives (seq, id) of each in order."""
    for number in range(10):
        await note(f"entry {number}")
    await everything_sealed(database, superuser)
    return await superuser.fetch("SELECT seq, id FROM reporting.journal ORDER BY xid, seq")


async def everything_sealed(database, superuser, *, keeper=None):
    """Seal until all entries are; a background transaction of the server may hold some back."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await seal(database, KEY, keeper)
            covered = await superuser.fetchval("SELECT sum(size) FROM reporting.checkpoints")
            if (covered or 0) == await superuser.fetchval("SELECT count(*) FROM reporting.journal"):
                return


@pytest.fixture
async def years(database, superuser, small, note):
    """Three months of 2018, the first entries of two of them in the month before's transaction."""
    await fill_years(superuser)
    await note("an entry of today")
    await everything_sealed(database, superuser)
    rows = await superuser.fetch("SELECT seq FROM reporting.journal")
    yield {row["seq"] for row in rows}
    await clear_years(superuser)


@pytest.fixture
def keeping(database, tmp_path):
    return retention(database, KEY, tmp_path / "archives")
