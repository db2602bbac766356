"""Retention by command and by the day, and whom it asks for legal holds."""

from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest

from shared.clock import utc_now
from shared.errors import Unavailable
from shared.journal import commands
from shared.journal.holds import ActiveHold, ActiveHolds
from shared.journal.keeper import Keeper
from shared.journal.keeping import keep_daily
from tests.shared.journal.conftest import KEY
from tests.support.told import said_by

pytestmark = pytest.mark.stack


class Auth:
    """Auth as it answers, or does not."""

    def __init__(self, *holds, is_away=False):
        self.answer = ActiveHolds(holds=holds).model_dump(mode="json")
        self.is_away = is_away

    async def get_json(self, service, path):
        assert (service, path) == ("auth", "/internal/legal-holds")
        if self.is_away:
            raise Unavailable
        return self.answer


@pytest.fixture
def holder(database, keeping):
    def make(auth=None, *, archives=keeping.folder):
        return SimpleNamespace(
            service="reporting",
            database=database,
            signing_key=KEY,
            keeper=Keeper(KEY.public),
            archives=archives,
            settings=SimpleNamespace(retention_transactions_years=7, journal_export=False),
            proving_types=frozenset(),
            row_keeper=None,
            client=auth or Auth(),
            find_holds=None,
        )

    return make


async def run(resources, words):
    return said_by(await commands.run(resources, words))


async def test_a_dry_run_says_what_is_due_for_people_and_for_programs(holder, years):
    told = await commands.run(holder(), ["retention", "--dry-run"])

    assert told.text.splitlines()[0] == "2018-01: archive: would be done."
    assert [step["action"] for step in told.content["steps"]] == ["archive"] * 3


async def test_a_run_tells_each_month_and_verify_how_it_was_proved(holder, years, tmp_path):
    first = await run(holder(), ["retention"])
    await run(holder(), ["retention"])

    assert first.splitlines()[:2] == [
        "2018-01: archive, 6 entries: done.", "2018-02: archive, 7 entries: done.",
    ]  # fmt: skip
    plain = await run(holder(), ["verify"])
    read = await run(holder(), ["verify", "archives"])
    elsewhere = await run(holder(), ["verify", "archives", str(tmp_path / "none")])
    assert "2018-01: 6 entries, taken from its signed manifest, not read." in plain
    assert "2018-01: 6 entries, read, and as sealed." in read
    assert "2018-01: 6 entries, NOT READ, taken from its signed manifest: " in elsewhere


async def test_what_is_wrong_with_an_archive_ends_verify_and_names_it(holder, years, keeping):
    await run(holder(), ["retention"])
    await run(holder(), ["retention"])
    path = next(keeping.folder.path.glob("2018-03*.sealed"))
    path.write_bytes(path.read_bytes()[:-9])

    with pytest.raises(SystemExit, match=r"in the archive of 2018-03: archive_damaged"):
        await run(holder(), ["verify", "new", "archives"])
    with pytest.raises(SystemExit, match=r"in the archive of 2018-03: archive_damaged"):
        await run(holder(), ["verify", "archives"])


async def test_auth_is_asked_for_holds_and_nothing_goes_without_an_answer(holder, years, superuser):
    row = await superuser.fetchrow("SELECT tenant_id FROM reporting.journal_2018_01 LIMIT 1")
    hold = ActiveHold(
        id=uuid4(), tenant_id=row["tenant_id"], kind=None, first_day=None, last_day=None
    )
    await run(holder(), ["retention"])

    with pytest.raises(SystemExit, match="Nothing was removed after that"):
        await run(holder(Auth(is_away=True)), ["retention"])
    said = await run(holder(Auth(hold)), ["retention"])

    assert f"2018-01: detach, 6 entries: not done: legal hold {hold.id} keeps it." in said


async def test_it_runs_once_a_day_and_a_failed_run_sooner(holder, years, superuser):
    now = utc_now()
    count = "SELECT count(*) FROM reporting.retention_runs"

    for _ in range(2):
        await keep_daily(holder(), now)
    assert await superuser.fetchval(count) == 1
    await keep_daily(holder(archives=None), now + timedelta(days=9))
    assert await superuser.fetchval(count) == 1
    await superuser.execute("UPDATE reporting.retention_runs SET failed = true")
    await keep_daily(holder(), now)

    assert await superuser.fetchval(count) == 2


async def test_without_a_folder_nothing_leaves(holder):
    with pytest.raises(SystemExit, match="ARCHIVE_FOLDER"):
        await run(holder(archives=None), ["retention"])
    with pytest.raises(SystemExit, match="ARCHIVE_FOLDER"):
        await run(holder(archives=None), ["verify", "archives"])
