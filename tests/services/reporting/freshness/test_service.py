"""Every report says how old its figures are, and whether anything is missing from them."""

import asyncio
from datetime import UTC, datetime

import pytest

from services.reporting.followers import followers
from shared.journal import follow as following
from shared.journal.follow import apply_page, rebuild
from tests.services.reporting.conftest import InProcessServices
from tests.support.services import Caller
from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("shop")]

DASHBOARD = "/api/dashboard/stats"
VALUE = "/api/reports/inventory-value"
TO_ORDER = "/api/reports/reorder-recommendations"

each_report = pytest.mark.parametrize("report", [DASHBOARD, VALUE, TO_ORDER])


@pytest.fixture
async def shop(post, follow):
    await post("/api/locations", name="Main", type="warehouse")
    await post("/api/inventory/add-item", code="A1", name="A1", unit_cost="2", reorder_point=10)
    await follow()


@pytest.fixture
def last_entry(superuser):
    """When the newest entry of inventory's journal was recorded."""

    async def read():
        return await superuser.fetchval(
            "SELECT recorded_at FROM inventory.journal ORDER BY xid DESC, seq DESC LIMIT 1"
        )

    return read


@each_report
async def test_a_report_is_as_of_the_last_entry_it_counts(get, move, follow, last_entry, report):
    await move("A1", "1")
    await follow()

    found = await get(report)

    assert datetime.fromisoformat(found["as_of"]) == await last_entry()
    assert (found["lag_s"], found["behind"], found["incomplete"]) == (0, 0, False)


@each_report
async def test_what_is_recorded_and_not_yet_counted_is_said(get, post, last_entry, report):
    before = await last_entry()
    asked_at = datetime.now(UTC)
    lines = [{"kind": "receipt", "item": "A1", "location": "Main", "quantity": "1"}] * 500
    await post("/api/inventory/movements/bulk", lines=lines)

    found = await get(report)

    assert datetime.fromisoformat(found["as_of"]) == before
    assert found["behind"] >= 500
    assert 0 < found["lag_s"] < (datetime.now(UTC) - asked_at).total_seconds()


@each_report
async def test_with_inventory_away_nobody_can_tell(get, move, reporting_app, last_entry, report):
    before = await last_entry()
    reporting_app.state.resources.client = InProcessServices()

    found = await get(report)

    assert datetime.fromisoformat(found["as_of"]) == before
    assert (found["lag_s"], found["behind"]) == (None, None)


@each_report
async def test_before_the_first_entry_a_report_is_as_of_no_time(get, resources, follow, report):
    await rebuild(followers(resources.own), resources.database)

    found = await get(report, reader=Caller())
    await follow()

    assert found["as_of"] is None
    assert found["behind"] > 0


@pytest.fixture
def follow_one(inventory_follower, resources, services, monkeypatch):
    """Apply one entry of inventory's journal."""

    async def apply():
        with monkeypatch.context() as changed:
            changed.setattr(following, "PAGE_LIMIT", 1)
            await apply_page(inventory_follower, resources.database, services)

    return apply


@each_report
async def test_until_a_rebuild_is_done_reports_are_incomplete(
    get, resources, follow_one, follow, report
):
    await rebuild(followers(resources.own), resources.database)
    emptied = await get(report)
    await follow_one()
    begun = await get(report, reader=Caller())
    await rebuild(followers(resources.own), resources.database)
    await follow_one()
    again = await get(report, reader=Caller())
    await follow()
    done = await get(report, reader=Caller())

    assert [found["incomplete"] for found in (emptied, begun, again, done)] == [True] * 3 + [False]


async def test_what_the_cache_keeps_of_a_rebuild_stays_incomplete(get, resources, follow):
    await rebuild(followers(resources.own), resources.database)
    await get(DASHBOARD)
    await follow()

    kept = await get(DASHBOARD)

    assert (kept["items"], kept["incomplete"]) == (0, True)


async def test_a_rebuild_waits_for_the_report_that_is_being_made(
    get, move, follow, services, resources, superuser, monkeypatch
):
    await move("A1", "3")
    await follow()
    ask, rebuilds = services.get_json, []

    async def ask_while_a_rebuild_begins(*args, **more):
        rebuilds.append(
            asyncio.ensure_future(rebuild(followers(resources.own), resources.database))
        )
        await eventually(
            lambda: superuser.fetchval(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
            )
        )
        return await ask(*args, **more)

    monkeypatch.setattr(services, "get_json", ask_while_a_rebuild_begins)
    found = await get(VALUE)
    await rebuilds[0]
    monkeypatch.undo()
    await follow()

    assert (found["total"], found["incomplete"]) == ("6", False)


@each_report
async def test_a_tenant_that_lacks_an_entry_is_told_so_and_no_other(
    get, move, spoil, follow, aside, report
):
    await move("A1", "10", reference="poison")
    await spoil("poison", quantity="many")

    await follow()

    assert (await get(report))["incomplete"] is True
    assert (await get(report, reader=Caller()))["incomplete"] is False


async def test_figures_from_the_cache_are_as_old_as_they_are(get, move, follow, last_entry):
    first = await get(DASHBOARD)
    counted_until = await last_entry()
    await move("A1", "1")
    await follow()

    kept = await get(DASHBOARD)

    assert kept["movements"] == first["movements"]
    assert datetime.fromisoformat(kept["as_of"]) == counted_until
    assert kept["behind"] >= 1
    assert kept["lag_s"] > 0
    assert [f["status"] for f in kept["freshness"] if f["producer"] == "inventory"] == ["behind"]


async def test_what_cannot_be_counted_shows_in_cached_figures_at_once(
    get, move, spoil, follow, aside
):
    await get(DASHBOARD)
    await move("A1", "10", reference="poison")
    await spoil("poison", quantity="many")
    await follow()

    assert (await get(DASHBOARD))["incomplete"] is True
