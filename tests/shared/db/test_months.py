import asyncio
from datetime import UTC, date, datetime

import pytest

from shared import metrics
from shared.db import Database
from shared.db.months import keep_months
from shared.ids import new_id
from shared.settings import ServiceSettings

pytestmark = pytest.mark.stack
YEAR = 2099  # Of months that no other test writes to.


@pytest.fixture
async def database(databases, service_environment, superuser):
    settings = ServiceSettings(**service_environment, database_url=databases.dsn("reporting_app"))
    opened = Database.from_settings(settings)
    yield opened
    await opened.close()
    for row in await superuser.fetch(
        "SELECT oid::regclass::text AS name FROM pg_class WHERE relispartition AND relkind = 'r' "
        "AND relnamespace = 'reporting'::regnamespace AND strpos(relname, $1) > 0",
        f"_{YEAR}_",
    ):
        await superuser.execute(f"DROP TABLE {row['name']}")
    await superuser.execute("DELETE FROM reporting.journal_rest")


@pytest.fixture
def write(superuser):
    """Write an entry as of a day to come."""

    async def at(day: date):
        return await superuser.fetchval(
            """INSERT INTO reporting.journal
               (id, tenant_id, recorded_at, actor, request_id, type, subject, data)
               VALUES ($1, $1, $2, 'user:test', 'r', 'test.noted.v1', 'note:1', '{}')
               RETURNING tableoid::regclass::text""",
            new_id(),
            datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        )

    return at


def ahead(table):
    return metrics.partition_months_ahead.labels(table)._value.get()


def is_default_used(table):
    return metrics.partition_default_used.labels(table)._value.get() == 1


async def test_months_to_come_have_their_partition_before_they_begin(database, write):
    await keep_months(database, date(YEAR, 1, 31))

    assert await write(date(YEAR, 1, 1)) == f"reporting.journal_{YEAR}_01"
    assert await write(date(YEAR, 4, 30)) == f"reporting.journal_{YEAR}_04"
    assert await write(date(YEAR, 5, 1)) == "reporting.journal_rest"
    assert (ahead("journal"), ahead("audit_entries")) == (3, 3)


async def test_where_nobody_added_them_rows_are_kept_read_and_told(database, write, superuser):
    """The worker was away for five months: the present one has rows in the default partition."""
    await keep_months(database, date(YEAR, 1, 1))
    of_others = is_default_used("audit_entries")  # Other tests may have left rows of any time.
    lost = date(YEAR, 6, 15)
    assert await write(lost) == "reporting.journal_rest"

    await keep_months(database, lost)

    assert ahead("journal") == -1
    assert is_default_used("journal")
    assert is_default_used("audit_entries") is of_others
    assert await write(lost) == "reporting.journal_rest"
    assert await write(date(YEAR, 7, 1)) == f"reporting.journal_{YEAR}_07"
    assert (
        await superuser.fetchval(
            "SELECT count(*) FROM reporting.journal WHERE recorded_at > $1",
            datetime(YEAR, 6, 1, tzinfo=UTC),
        )
        == 3
    )


async def test_of_several_workers_at_once_one_adds_and_none_fails(database, write):
    await asyncio.gather(*(keep_months(database, date(YEAR, 8, 1)) for _ in range(4)))

    assert await write(date(YEAR, 9, 1)) == f"reporting.journal_{YEAR}_09"
