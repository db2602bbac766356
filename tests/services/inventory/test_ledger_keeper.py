"""Retention lets months of the ledger go: in order, proved, held back, and killed anywhere."""

import asyncio
import os
import signal
import sys
from uuid import uuid4

import pytest
from pydantic import SecretStr

from deploy.mirror.tables import list_tables
from services.inventory.resources import open_service
from services.inventory.verification.rules import PROVING_TYPES
from shared.clock import utc_now
from shared.journal import commands
from shared.journal.holds import ActiveHold
from tests.support.archives import retention
from tests.support.past import MONTHS
from tests.support.tree import ROOT

pytestmark = pytest.mark.stack
JANUARY, FEBRUARY, MARCH = MONTHS
NAMES = [f"{month:%Y-%m}" for month in MONTHS]


@pytest.fixture
async def resources(inventory_settings):
    opened = open_service(inventory_settings)
    yield opened
    await opened.close()


@pytest.fixture
async def holds():
    return []


@pytest.fixture
async def keeping(resources, past, tmp_path, superuser, holds):
    """Retention of inventory, which ran before, so that this run is not the first."""

    async def find_holds():
        return holds

    made = retention(
        resources.database, resources.signing_key, tmp_path / "archives",
        rows=past.keeper, find_holds=find_holds, proving_types=PROVING_TYPES,
    )  # fmt: skip
    await superuser.execute("TRUNCATE inventory.retention_runs")
    await made.run(utc_now())
    yield made
    await superuser.execute("TRUNCATE inventory.retention_runs")


@pytest.fixture
async def years(make_location, make_item, move, past, client, caller):
    """A movement in each month, and one of today; gives what verifies that it is all there."""
    await make_location("Main")
    item = await make_item("A1")
    for month in MONTHS:
        await move("receipt", 10)
        await past.age(month)
    await move("issue", 1)

    async def require_whole():
        answer = await client.get("/api/inventory/verify", headers=caller.headers())
        found = answer.json()
        assert found["differences"] == []
        checked = found["checked"]
        assert checked["movements"] + checked["archived_movements"] == 4
        stock = await client.get(f"/api/inventory/{item['id']}/stock", headers=caller.headers())
        assert stock.json()["on_hand"] == "29"
        return checked["archived_movements"]

    return require_whole


def steps(report, kind="movements"):
    return [
        (step.action, step.month, step.done, step.reason)
        for step in report.steps
        if step.kind == kind
    ]


async def after_grace(superuser):
    await superuser.execute(
        "UPDATE inventory.ledger_archives SET detached_at = detached_at - interval '31 days'"
    )


async def test_months_leave_and_their_tables_are_dropped_after_a_grace(keeping, years, superuser):
    first = await keeping.run(utc_now())
    whole = await years()
    second = await keeping.run(utc_now())
    await after_grace(superuser)
    third = await keeping.run(utc_now())

    assert first.failed is None
    assert steps(first) == [("detach", name, True, None) for name in NAMES]
    assert whole == 3
    assert steps(second) == []
    assert steps(third) == [("drop", name, True, None) for name in NAMES]
    assert await years() == 3
    assert await superuser.fetchval("SELECT to_regclass('inventory.movements_2018_01')") is None


async def test_detached_months_are_nothing_to_mirror(keeping, years, superuser):
    await keeping.run(utc_now())

    names = {table.name for table in await list_tables(superuser)}

    assert {"inventory.movements", "inventory.opening_balances"} <= names
    assert not [name for name in names if "movements_2018" in name]


async def test_their_entries_stay_in_the_journal(keeping, years):
    report = await keeping.run(utc_now())

    reason = "rows are there that its entries prove"
    assert steps(report, "journal") == [("archive", name, False, reason) for name in NAMES]


async def test_a_trial_does_nothing_and_the_first_run_neither(keeping, years, superuser):
    trial = await keeping.run(utc_now(), is_trial=True)
    await superuser.execute("TRUNCATE inventory.retention_runs")
    first = await keeping.run(utc_now())

    assert steps(trial) == [("detach", name, False, None) for name in NAMES]
    assert {step[2] for step in steps(first)} == {False}
    assert "first run" in first.why_nothing_goes
    assert await years() == 0


async def test_a_legal_hold_keeps_a_month_and_those_after_it(keeping, years, holds, caller):
    day = FEBRUARY.replace(day=3)
    holds.append(
        ActiveHold(id=uuid4(), tenant_id=caller.tenant_id, kind="movements", first_day=day,
                   last_day=day)
    )  # fmt: skip

    held = await keeping.run(utc_now())
    holds.clear()
    lifted = await keeping.run(utc_now())

    assert [step[:3] for step in steps(held)] == [
        ("detach", "2018-01", True), ("detach", "2018-02", False), ("detach", "2018-03", False)
    ]  # fmt: skip
    assert "legal hold" in steps(held)[1][3]
    assert steps(held)[2][3] == "a month before it stays"
    assert [step[1] for step in steps(lifted)] == NAMES[1:]
    assert await years() == 3


async def test_a_hold_of_a_day_keeps_what_was_recorded_late_of_it(
    keeping, years, holds, caller, superuser
):
    await superuser.execute(
        "UPDATE inventory.movements_2018_01 SET occurred_at = '2017-12-24 12:00+00'"
    )
    await superuser.execute(
        """UPDATE inventory.journal SET data =
               (data::jsonb || '{"occurred_at": "2017-12-24T12:00:00Z"}')::json
           WHERE tenant_id = $1 AND recorded_at < '2018-02-01'""",
        caller.tenant_id,
    )
    day = JANUARY.replace(year=2017, month=12, day=24)
    hold = ActiveHold(
        id=uuid4(), tenant_id=caller.tenant_id, kind=None, first_day=None, last_day=day
    )
    holds.append(hold)

    report = await keeping.run(utc_now())

    assert report.failed is None
    assert steps(report)[0] == ("detach", "2018-01", False, f"legal hold {hold.id} keeps it")


async def test_a_ledger_that_does_not_verify_keeps_everything(keeping, years, superuser):
    await superuser.execute(
        "UPDATE inventory.movements_2018_02 SET quantity = 9, balance_after = 19"
    )

    report = await keeping.run(utc_now())

    assert "do not verify" in report.failed
    assert report.steps == []
    assert await superuser.fetchval("SELECT count(*) FROM inventory.openings") == 0


async def test_what_was_put_into_a_detached_table_keeps_it(keeping, years, superuser):
    await keeping.run(utc_now())
    await after_grace(superuser)
    await superuser.execute(
        "INSERT INTO inventory.movements_2018_01 SELECT * FROM inventory.movements_2018_01"
    )

    report = await keeping.run(utc_now())

    assert "2 rows, its opening 1" in report.failed
    assert await superuser.fetchval("SELECT count(*) FROM inventory.movements_2018_01") == 2


async def test_a_command_tells_what_is_due_by_the_setting(years, inventory_settings, tmp_path):
    async def find_holds():
        return []

    given = {"archive_folder": tmp_path, "archive_encryption_key": SecretStr("ab" * 32)}
    said = []
    for kept_years in (5, 50):
        more = {"retention_movements_years": kept_years}
        opened = open_service(inventory_settings.model_copy(update=given | more))
        opened.find_holds = find_holds
        said.append(await commands.run(opened, ["retention", "--dry-run"]))
        await opened.close()

    due, not_due = said
    assert "2018-02: movements, detach, 1 rows: not done: it is the first run" in due.text
    kinds = [(step["kind"], step["month"]) for step in due.content["steps"]]
    assert kinds[:3] == [("movements", name) for name in NAMES]
    assert "movements" not in not_due.text


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from services.inventory.ledger_keeper import LedgerKeeper
from services.inventory.openings import service
from services.inventory.resources import open_service
from services.inventory.settings import Settings
from shared.clock import utc_now
from tests.support.archives import retention
from tests.support.past import YEARS

point, calls, is_after = sys.argv[2], [int(sys.argv[3])], sys.argv[4] == "after"
owner = LedgerKeeper if point == "is_verified" else (
    service.journal if point == "record_many" else service.queries)
kept = getattr(owner, point)
async def killed(*given, **more):
    calls[0] -= 1
    if calls[0] < 0 and not is_after:
        os.kill(os.getpid(), signal.SIGKILL)
    done = await kept(*given, **more)
    if calls[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return done
setattr(owner, point, killed)
async def main():
    opened = open_service(Settings(_env_file=None))
    rows = LedgerKeeper(opened.database, YEARS)
    keeping = retention(opened.database, opened.signing_key, Path(sys.argv[1]), rows=rows)
    await keeping.run(utc_now())
    await opened.close()
asyncio.run(main())
"""


@pytest.fixture
def run_killed(inventory_settings, tmp_path):
    """Run retention in a process that kills itself at a point; give its status."""
    given = {
        name.upper(): getattr(value, "get_secret_value", lambda value=value: str(value))()
        for name, value in inventory_settings
        if value is not None
    }

    async def run(*words):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", KILLED, str(tmp_path / "archives"), *words,
            cwd=ROOT, env={**os.environ, **given},
        )  # fmt: skip
        return await process.wait()

    return run


@pytest.mark.parametrize(
    "words",
    [
        ("record_many", "0", "after"), ("detach_month", "0", "before"),
        ("detach_month", "0", "after"), ("detach_month", "1", "after"),
        ("is_verified", "1", "before"), ("drop_month", "0", "after"),
    ],
    ids=" ".join,
)  # fmt: skip
async def test_killed_anywhere_nothing_is_lost_and_the_next_run_goes_on(
    keeping, years, superuser, run_killed, words
):
    if words[0] == "drop_month":
        await keeping.run(utc_now())
        await after_grace(superuser)
    assert await run_killed(*words) == -signal.SIGKILL
    await years()

    reports = []
    for _ in range(2):
        reports.append(await keeping.run(utc_now()))
        await after_grace(superuser)
        assert await years() == 3
    await keeping.run(utc_now())

    assert [report.failed for report in reports] == [None, None]
    left = "SELECT count(*) FROM inventory.ledger_archives WHERE dropped_at IS NOT NULL"
    assert await superuser.fetchval(left) == 3
    assert await years() == 3
