"""Months of a journal go into archives, and nothing is ever lost or unproved on the way."""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from uuid import UUID

import pytest

from deploy.mirror.tables import list_tables
from shared.clock import utc_now
from shared.errors import Unavailable
from shared.journal import retention as module
from shared.journal.export import ExportBehind, Exporter
from shared.journal.holds import ActiveHold
from shared.journal.verification import verify
from tests.shared.journal.conftest import KEY
from tests.support.archives import MONTHS, clear_years, fill_years, numbers_held, retention
from tests.support.tree import ROOT

pytestmark = [pytest.mark.stack, pytest.mark.asvs("F06")]


async def after_grace(superuser):
    await superuser.execute(
        "UPDATE reporting.journal_archives SET detached_at = detached_at - interval '31 days'"
    )


def done(report):
    return [(step.action, step.month) for step in report.steps if step.done]


MONTH_NAMES = [f"{month:%Y-%m}" for month in MONTHS]


async def test_months_are_archived_then_detached_then_dropped(keeping, years, database, superuser):
    first = await keeping.run(utc_now())
    second = await keeping.run(utc_now())
    third = await keeping.run(utc_now())
    await after_grace(superuser)
    fourth = await keeping.run(utc_now())
    fifth = await keeping.run(utc_now())

    assert done(first) == [("archive", name) for name in MONTH_NAMES]
    assert done(second) == [("detach", name) for name in MONTH_NAMES]
    assert done(third) == done(fifth) == []
    assert done(fourth) == [("drop", name) for name in MONTH_NAMES]
    assert {report.failed for report in (first, second, third, fourth, fifth)} == {None}
    assert await numbers_held(superuser, keeping.folder, KEY) == years
    assert await superuser.fetchval("SELECT count(*) FROM reporting.journal") == 1
    found = await verify(database, KEY, archives=keeping.folder)
    assert found.ok
    assert found.entries == len(years)
    assert [each.state for each in found.archives] == ["read"] * 3


# Where it is killed, after so many runs that were not.
POINTS = (
    (0, "ArchiveWriter.write"), (0, "ArchiveWriter.finish"), (0, "keeper.sync_folder"),
    (0, "archiving.check_archive"), (0, "archiving.write_manifest"),
    (0, "ArchiveFolder.keep_manifest"), (0, "retention.Retention._note"),
    (1, "retention.Retention._with_patience"), (1, "retention.Retention._note"),
    (2, "retention.Retention._drop"),
)  # fmt: skip
KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from shared.clock import utc_now
from shared.db import Database
from shared.journal import archive_folder, archiving, checkpoint, keeper, retention
from shared.journal.archive_folder import ArchiveFolder, ArchiveWriter
from shared.settings import ServiceSettings
from tests.shared.journal.conftest import KEY
from tests.support import archives

owner, _, name = sys.argv[2].rpartition(".")
place = eval(owner)
kept, left = getattr(place, name), [int(sys.argv[3])]
def killed(*given, **more):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return kept(*given, **more)
setattr(place, name, killed)
if name == "sync_folder":
    archive_folder.sync_folder = killed
async def main():
    database = Database.from_settings(ServiceSettings(_env_file=None))
    keeping = archives.retention(database, KEY, Path(sys.argv[1]))
    report = await keeping.run(utc_now())
    print(report.as_json())
    await database.close()
asyncio.run(main())
"""


@pytest.fixture
def run_killed(databases, service_environment, tmp_path):
    """Run retention in a process that kills itself when a function is called; give its status."""

    async def run(point, calls):
        given = {name.upper(): str(value) for name, value in service_environment.items()}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", KILLED, str(tmp_path / "archives"), point, str(calls),
            cwd=ROOT, env={**os.environ, **given, "DATABASE_URL": databases.dsn("reporting_app")},
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        return await process.wait()

    return run


@pytest.mark.parametrize(("before", "point"), POINTS)
async def test_killed_anywhere_nothing_is_lost_and_the_next_run_goes_on(
    keeping, years, database, superuser, run_killed, before, point
):
    kills = 0
    for _ in range(before):
        await keeping.run(utc_now())
    await after_grace(superuser)
    for calls in (0, 1):
        kills += await run_killed(point, calls) == -signal.SIGKILL
        assert await numbers_held(superuser, keeping.folder, KEY) == years
        assert (await verify(database, KEY)).ok
        await after_grace(superuser)

    reports = []
    for _ in range(4):
        reports.append(await keeping.run(utc_now()))
        await after_grace(superuser)
    assert kills
    assert [report.failed for report in reports] == [None] * 4
    assert await numbers_held(superuser, keeping.folder, KEY) == years
    assert await superuser.fetchval("SELECT count(*) FROM reporting.journal") == 1
    assert (await verify(database, KEY, archives=keeping.folder)).ok


async def test_nothing_is_due_before_its_time(database, years, tmp_path, superuser):
    young = retention(database, KEY, tmp_path / "archives")
    object.__setattr__(young, "years", 50)

    report = await young.run(utc_now())

    assert report.steps == []
    assert await superuser.fetchval("SELECT count(*) FROM reporting.journal_archives") == 0


async def test_a_trial_says_what_would_be_done_and_does_nothing(keeping, years, superuser):
    report = await keeping.run(utc_now(), is_trial=True)

    assert [(step.action, step.done, step.reason) for step in report.steps] == [
        ("archive", False, None)
    ] * 3
    assert not list(keeping.folder.path.glob("*.sealed"))
    assert await superuser.fetchval("SELECT count(*) FROM reporting.retention_runs") == 0


async def test_a_follower_that_is_not_past_a_month_keeps_it(keeping, years, superuser):
    await keeping.run(utc_now())
    await superuser.execute(
        "INSERT INTO reporting.feed_readers SELECT 'forecasting', last_xid, last_seq - 1, now() "
        "FROM reporting.journal_archives WHERE month = '2018-02-01'"
    )

    report = await keeping.run(utc_now())

    assert done(report) == [("detach", "2018-01")]
    assert {step.reason for step in report.steps if not step.done} == {
        "forecasting has not followed the journal past it"
    }


async def test_a_legal_hold_beats_policy_before_a_month_goes_and_before_its_table_does(
    database, years, tmp_path, superuser
):
    tenants = await superuser.fetch(
        "SELECT tenant_id FROM reporting.journal_2018_02 ORDER BY seq LIMIT 1"
    )
    holds = []

    async def find_holds():
        return holds

    keeping = retention(database, KEY, tmp_path / "archives", find_holds=find_holds)
    await keeping.run(utc_now())
    one = ActiveHold(
        id=UUID(int=7), tenant_id=tenants[0][0], kind=None, first_day=None, last_day=None
    )
    holds.append(one)

    held = await keeping.run(utc_now())
    holds.clear()
    lifted = await keeping.run(utc_now())
    await after_grace(superuser)
    holds.append(one)
    kept = await keeping.run(utc_now())

    names = ("2018-01", "2018-03")
    assert done(held) == [("detach", name) for name in names]
    assert done(lifted) == [("detach", "2018-02")]
    assert done(kept) == [("drop", name) for name in names]
    assert [step.reason for step in kept.steps if not step.done] == [
        f"legal hold {UUID(int=7)} keeps it"
    ]


async def test_while_holds_cannot_be_asked_for_nothing_goes(database, years, tmp_path):
    async def find_holds():
        raise Unavailable

    keeping = retention(database, KEY, tmp_path / "archives", find_holds=find_holds)
    await keeping.run(utc_now())

    report = await keeping.run(utc_now())

    assert "legal holds" in report.failed
    assert done(report) == []


async def test_what_is_not_exported_yet_stays_and_what_left_is_no_change_to_the_export(
    database, keeping, years, tmp_path
):
    exporter = Exporter(database, KEY, tmp_path / "export", max_bytes=1_000_000)
    exporting = retention(
        database, KEY, tmp_path / "archives", exported_upto=exporter.last_checkpoint
    )
    await exporting.run(utc_now())

    behind = await exporting.run(utc_now())
    await exporter.export(utc_now())
    past = await exporting.run(utc_now())

    assert {step.reason for step in behind.steps} == {
        "the export of the journal has not come to it"
    }
    assert len(done(past)) == 3
    assert await exporter.export(utc_now()) == 0
    late = Exporter(database, KEY, tmp_path / "late", max_bytes=1_000_000)
    with pytest.raises(ExportBehind, match="in archives"):
        await late.export(utc_now())


async def test_detached_months_are_nothing_to_mirror(keeping, years, superuser):
    await keeping.run(utc_now())
    await keeping.run(utc_now())

    names = {table.name for table in await list_tables(superuser)}

    assert "reporting.journal" in names
    assert not [name for name in names if "journal_2018" in name]


async def test_entries_that_rows_are_compared_with_stay(database, years, tmp_path):
    proving = retention(
        database, KEY, tmp_path / "archives", proving_types=frozenset({"test.noted.v1"})
    )

    report = await proving.run(utc_now())

    assert {step.reason for step in report.steps} == {"rows are there that its entries prove"}


async def test_what_no_checkpoint_seals_is_not_archived(database, superuser, small, keeping):
    await fill_years(superuser)
    try:
        report = await keeping.run(utc_now())
    finally:
        await clear_years(superuser)

    assert {step.reason for step in report.steps} == {"no checkpoint seals its entries yet"}


async def test_nothing_goes_while_there_is_a_mirror(keeping, years, superuser):
    await keeping.run(utc_now())
    await superuser.execute("CREATE PUBLICATION stock_mirror_rows")
    try:
        report = await keeping.run(utc_now())
    finally:
        await superuser.execute("DROP PUBLICATION stock_mirror_rows")

    assert [(step.action, step.done) for step in report.steps] == [("detach", False)] * 3
    assert "mirror" in report.why_nothing_goes
    assert report.failed is None


@pytest.mark.parametrize("days", [366, -366])
async def test_a_wrong_clock_archives_and_removes_nothing(keeping, years, superuser, days):
    report = await keeping.run(utc_now() + timedelta(days=days))

    assert "clock" in report.failed
    assert report.steps == []


async def test_after_a_leap_of_both_clocks_nothing_is_removed_for_a_week(keeping, years, superuser):
    await keeping.run(utc_now())
    await superuser.execute(
        "UPDATE reporting.retention_runs SET ran_at = ran_at - interval '1 year'"
    )

    reports = [await keeping.run(utc_now()) for _ in range(9)]

    assert [bool(done(report)) for report in reports] == [False] * 8 + [True]
    assert "leapt" in reports[0].why_nothing_goes


async def test_after_a_failure_nothing_is_removed(keeping, years, superuser):
    await keeping.run(utc_now())
    path = keeping.folder.file_of(MONTHS[1])
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)

    report = await keeping.run(utc_now())

    assert done(report) == [("detach", "2018-01")]
    assert "2018-02" in report.failed
    assert "damaged" in report.failed


async def test_a_journal_that_does_not_verify_keeps_everything(keeping, years, superuser):
    await superuser.execute(
        "UPDATE reporting.journal SET actor = 'user:else' WHERE seq = "
        "(SELECT max(seq) FROM reporting.journal)"
    )

    report = await keeping.run(utc_now())

    assert "does not verify" in report.failed
    assert report.steps == []


async def test_a_month_in_use_is_tried_again_and_readers_wait_two_seconds_at_most(
    keeping, years, superuser, databases, monkeypatch
):
    monkeypatch.setattr(module, "LOCK_ATTEMPTS", 1)
    await keeping.run(utc_now())
    async with superuser.transaction():
        await superuser.execute("SELECT count(*) FROM reporting.journal")
        busy = await keeping.run(utc_now())
    free = await keeping.run(utc_now())

    assert done(busy) == []
    assert "in use" in busy.steps[0].reason
    assert len(done(free)) == 3


async def test_the_database_itself_keeps_what_is_young_or_not_archived(years, database, superuser):
    for month in (MONTHS[0], utc_now().date().replace(day=1)):
        with pytest.raises(Exception, match=r"has no archive|less than a year"):
            await superuser.execute("SELECT reporting.detach_journal_month($1)", month)
        with pytest.raises(Exception, match="not detached since a week"):
            await superuser.execute("SELECT reporting.drop_journal_month($1)", month)


async def test_a_restored_database_takes_the_archives_that_are_there(keeping, years, superuser):
    await keeping.run(utc_now())
    before = keeping.folder.file_of(MONTHS[0]).read_bytes()
    await superuser.execute("TRUNCATE reporting.journal_archives")

    report = await keeping.run(utc_now())

    assert len(done(report)) == 3
    assert keeping.folder.file_of(MONTHS[0]).read_bytes() == before
