import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest

from services.reporting.followers import followers
from services.reporting.inventory_value.queries import SealedPosition
from shared.journal import follow as following
from shared.journal.follow import apply_page, rebuild
from tests.services.reporting.conftest import InProcessServices
from tests.support.waiting import eventually, pause

pytestmark = pytest.mark.stack

MOVE = "/api/inventory/movements"
TABLES = {
    "items": "code, name_en, category, reorder_point, active",
    "locations": "name, type",
    "levels": "item_id, location_id, on_hand",
    "lots": "id, item_id, expires_on, on_hand",
    "movement_days": "day, kind, movements",
    "unit_costs": "id, item_id, amount",
    "audit_entries": "service, seq, id, recorded_at, actor, type, subject, data::text",
}


@pytest.fixture
async def busy(post):
    """A tenant with some history."""
    await post("/api/locations", name="Main", type="warehouse")
    await post("/api/locations", name="Shop", type="warehouse")
    for code in ("A1", "B1"):
        await post("/api/inventory/add-item", code=code, name=code, unit_cost="2", reorder_point=5)
    lines = [
        {"kind": kind, "item": item, "location": "Main", "quantity": quantity, **more}
        for item in ("A1", "B1")
        for kind, quantity, more in [
            ("receipt", "10", {}),
            ("receipt", "5", {"unit_cost": "3.1"}),
            ("issue", "4", {}),
            ("transfer", "2", {"to_location": "Shop"}),
            ("adjustment", "1", {"direction": "in", "reason": "found"}),
        ]
        * 5
    ]
    await post("/api/inventory/movements/bulk", lines=lines)


@pytest.fixture
def state(superuser, resources, caller):
    """Everything the read models hold of the caller's tenant, seals opened."""

    async def read():
        found = {}
        for table, columns in TABLES.items():
            rows = await superuser.fetch(
                f"SELECT {columns} FROM reporting.{table} WHERE tenant_id = $1 ORDER BY {columns}",  # noqa: S608 - constants.
                caller.tenant_id,
            )
            found[table] = [tuple(row) for row in rows]
        rows = await superuser.fetch(
            "SELECT item_id, held, owed, amount FROM reporting.item_values WHERE tenant_id = $1 "
            "ORDER BY item_id",
            caller.tenant_id,
        )
        found["item_values"] = [
            SealedPosition(row["held"], row["owed"], row["amount"]).opened(
                resources.own.prices, caller.tenant_id, row["item_id"]
            )
            for row in rows
        ]
        return found

    return read


async def test_read_models_agree_with_inventory(busy, follow, state, inventory, caller):
    await follow()
    found = await state()

    listed = await inventory.get("/api/inventory", headers=caller.headers())
    assert sorted(position.held for position in found["item_values"]) == sorted(
        int(item["on_hand"]) for item in listed.json()["items"]
    )
    assert [row[2] for row in found["movement_days"]] == [10, 10, 20, 10]
    assert {row[0] for row in found["movement_days"]} == {datetime.now(UTC).date()}
    assert len(found["audit_entries"]) == 2 + 2 + 2 + 60


async def test_a_rebuild_from_nothing_gives_the_same(busy, follow, state, resources):
    await follow()
    before = await state()

    await rebuild(followers(resources.own), resources.database)
    emptied = await state()
    await follow()

    assert emptied["items"] == emptied["levels"] == emptied["item_values"] == []
    assert emptied["audit_entries"] == before["audit_entries"]
    assert await state() == before


async def test_where_pages_end_makes_no_difference(busy, follow, state, resources, monkeypatch):
    await follow()
    before = await state()

    monkeypatch.setattr(following, "PAGE_LIMIT", 61)
    await rebuild(followers(resources.own), resources.database)
    await follow()

    assert await state() == before


async def test_a_follower_killed_anywhere_neither_loses_nor_repeats(
    busy, follow, inventory_follower, state, resources, services, monkeypatch
):
    await follow()
    expected = await state()
    await rebuild(followers(resources.own), resources.database)
    monkeypatch.setattr(following, "PAGE_LIMIT", 23)

    kills = 0
    for delay_ms in range(0, 60, 2):
        page = asyncio.create_task(apply_page(inventory_follower, resources.database, services))
        await pause(delay_ms / 1000)
        kills += page.cancel()
        await asyncio.gather(page, return_exceptions=True)
    await follow()

    assert kills > 5
    assert await state() == expected


async def test_two_followers_at_once_apply_everything_once(
    busy, follow, inventory_follower, state, resources, services, monkeypatch
):
    await follow()
    expected = await state()
    await rebuild(followers(resources.own), resources.database)
    monkeypatch.setattr(following, "PAGE_LIMIT", 23)

    for _ in range(8):
        await asyncio.gather(
            *(apply_page(inventory_follower, resources.database, services) for _ in range(3))
        )
    await follow()

    assert await state() == expected


async def test_a_failing_page_leaves_nothing_behind(
    busy, inventory_follower, resources, services, state, superuser
):
    async def fail_after_applying(session, entries):
        await inventory_follower.apply(session, entries)
        raise ConnectionError("the database went away")

    cursor = await superuser.fetch("SELECT * FROM reporting.follower_cursors ORDER BY 1")
    before = await state()

    failing = replace(inventory_follower, apply=fail_after_applying)
    with pytest.raises(ConnectionError):
        await apply_page(failing, resources.database, services)

    assert await state() == before
    assert await superuser.fetch("SELECT * FROM reporting.follower_cursors ORDER BY 1") == cursor


async def test_the_service_may_not_change_the_audit_trail(databases):
    connection = await asyncpg.connect(databases.dsn("reporting_app"))

    for statement in ("UPDATE audit_entries SET actor = ''", "DELETE FROM audit_entries",
                      "TRUNCATE audit_entries"):  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


async def test_an_unknown_type_of_any_producer_is_kept_for_the_audit(resources, superuser):
    tenant = uuid4()
    entry = {
        "xid": 2**40,
        "seq": 1,
        "id": str(uuid4()),
        "tenant_id": str(tenant),
        "recorded_at": "2026-01-31T12:00:00Z",
        "actor": "user:x",
        "request_id": "r-1",
        "type": "auth.something-new.v9",
        "subject": "user:x",
        "data": {"é": [1, None, {"deep": True}]},
    }
    page = _OnePage({"entries": [entry], "head_seq": 1})
    auth = next(follower for follower in followers(resources.own) if follower.producer == "auth")

    await apply_page(auth, resources.database, page)
    await superuser.execute("DELETE FROM reporting.follower_cursors WHERE producer = 'auth'")
    await apply_page(auth, resources.database, page)

    rows = await superuser.fetch(
        "SELECT service, type, data FROM reporting.audit_entries WHERE tenant_id = $1", tenant
    )
    assert [tuple(row) for row in rows] == [
        ("auth", "auth.something-new.v9", '{"é":[1,null,{"deep":true}]}')
    ]
    await superuser.execute("DELETE FROM reporting.follower_cursors WHERE producer = 'auth'")


class _OnePage(InProcessServices):
    def __init__(self, page):
        super().__init__()
        self.page = page

    async def get_json(self, service, path, params=None):  # noqa: ARG002 - the client's signature.
        return self.page


@pytest.fixture
async def stopped(superuser, inventory_follower, resources, services):
    """Whoever followed inventory has been gone for two minutes."""
    await apply_page(inventory_follower, resources.database, services)
    await superuser.execute(
        "UPDATE reporting.follower_cursors SET read_at = now() - interval '2 minutes'"
        " WHERE producer = 'inventory'"
    )
    yield
    await superuser.execute("UPDATE reporting.follower_cursors SET read_at = NULL")


async def test_a_follower_that_stands_still_is_told_by_health_until_it_goes_on(
    client, stopped, inventory_follower, resources, services
):
    before = (await client.get("/health")).json()
    going_on = asyncio.create_task(
        following.follow(inventory_follower, resources.database, services, resources.waker)
    )

    async def is_well():
        return (await client.get("/health")).json()["status"] == "ok"

    await eventually(is_well)
    going_on.cancel()
    await asyncio.gather(going_on, return_exceptions=True)
    assert (before["status"], before["standing_still"]) == ("degraded", ["inventory"])


async def test_a_follower_that_reads_and_gets_nowhere_stands_still(
    client, stopped, inventory_follower, resources, services, post
):
    async def fail(*_):
        raise asyncpg.LockNotAvailableError

    await post("/api/locations", name="Main", type="warehouse")
    failing = replace(inventory_follower, apply=fail)
    failing_on = asyncio.create_task(
        following.follow(failing, resources.database, services, resources.waker)
    )
    await pause(0.5)
    failing_on.cancel()
    await asyncio.gather(failing_on, return_exceptions=True)

    assert (await client.get("/health")).json()["standing_still"] == ["inventory"]
