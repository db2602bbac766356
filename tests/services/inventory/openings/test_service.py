"""Months leave the ledger: what is left is as it was, and says from when on it can be asked."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from services.inventory.openings import service
from shared.db import Stamp
from tests.support.past import MONTHS
from tests.support.waiting import eventually

pytestmark = pytest.mark.stack
JANUARY, FEBRUARY, MARCH = MONTHS
KEPT_FROM = "2018-03-01T00:00:00Z"
WAITS = """
    SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'
                   AND relation = 'inventory.movements'::regclass)"""
LONG_AGO = "2018-01-15T00:00:00Z"


@pytest.fixture
def read(client, caller):
    async def get(path, *, status=200, language="en", **query):
        headers = caller.headers() | {"Accept-Language": language}
        answer = await client.get(path, params=query, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    return get


@pytest.fixture
async def years(make_location, make_item, move, past):
    """An item that came in January 2018, went in February, and moves today."""
    await make_location("Main")
    await make_location("Shop")
    item = await make_item("A1", unit_cost="2.50")
    await move("receipt", 10, unit_cost="2.75")
    await move("transfer", 4, to_location="Shop")
    await past.age(JANUARY)
    await move("issue", 3)
    await past.age(FEBRUARY)
    await move("receipt", 5)
    return item


async def test_a_month_that_left_counts_as_before_and_verifies(years, past, read):
    before = await read(f"/api/inventory/{years['id']}/stock")
    assert (await read("/api/inventory/verify"))["ok"]

    await past.detach(JANUARY, FEBRUARY)

    found = await read("/api/inventory/verify")
    assert found["ok"], found
    assert found["checked"]["movements"] == 1
    assert found["checked"]["archived_movements"] == 4
    after = await read(f"/api/inventory/{years['id']}/stock")
    assert after["stock"] == before["stock"]


async def test_what_lay_since_then_is_told_and_what_lay_before_is_archived(years, past, read):
    stock = f"/api/inventory/{years['id']}/stock"
    later = {"as_of": "2018-03-05T00:00:00Z"}
    before = await read(stock, **later)
    listed = await read("/api/inventory/stock", **later)

    await past.detach(JANUARY, FEBRUARY)

    assert (await read(stock, **later))["stock"] == before["stock"]
    assert (await read(stock, as_of=KEPT_FROM))["on_hand"] == before["on_hand"] == "7"
    assert (await read("/api/inventory/stock", **later))["items"] == listed["items"]
    for path in (stock, "/api/inventory/stock", "/api/locations/Main/inventory"):
        for query in ({"as_of": LONG_AGO}, {"known_at": LONG_AGO}):
            refused = await read(path, status=410, **query)
            assert (refused["code"], refused["kept_from"]) == ("movements_archived", KEPT_FROM)
    french = await read(stock, status=410, language="fr", as_of=LONG_AGO)
    assert "registre" in french["detail"]


async def test_lists_begin_with_the_ledger_and_say_so(years, past, read):
    movements = "/api/inventory/movements"
    whole = await read(movements)

    await past.detach(JANUARY)

    left = await read(movements)
    assert left["kept_from"] == "2018-02-01T00:00:00Z"
    assert whole["kept_from"] is None
    assert left["items"] == whole["items"][:2]
    assert (await read(movements, status=410, to=LONG_AGO))["code"] == "movements_archived"
    assert (await read(movements, to=KEPT_FROM))["items"] == whole["items"][1:2]


async def test_a_movement_that_left_is_archived_and_one_that_never_was_is_not_found(
    years, past, read, client, caller
):
    rows = (await read("/api/inventory/movements"))["items"]
    await past.detach(JANUARY, FEBRUARY)

    path = f"/api/inventory/movements/{rows[-1]['id']}"
    assert (await read(path, status=410))["code"] == "movements_archived"
    undone = await client.post(f"{path}/reverse", json={"reason": "no"}, headers=caller.headers())
    assert (undone.status_code, undone.json()["code"]) == (410, "movements_archived")
    unknown = rows[0]["id"][:-4] + "0000"
    assert (await read(f"/api/inventory/movements/{unknown}", status=404))["code"]


async def test_nothing_is_recorded_among_what_left(years, past, move, read):
    await past.detach(JANUARY, FEBRUARY)

    refused = await move("receipt", 1, occurred_at=LONG_AGO)
    recorded = await move("receipt", 1, occurred_at=KEPT_FROM)

    assert (refused.status_code, refused.json()["code"]) == (410, "movements_archived")
    assert refused.json()["kept_from"] == KEPT_FROM
    assert recorded.status_code == 201
    assert (await read("/api/inventory/verify"))["ok"]


async def test_late_movements_from_before_that_were_recorded_since_stay_right(
    make_location, make_item, move, past, read
):
    """What went late, in time between what left: of then only the sum is known."""
    await make_location("Main")
    item = await make_item("A1")
    now = datetime.now(UTC)
    ago = [(now - timedelta(hours=hours)).isoformat() for hours in (50, 40, 30, 20)]
    await move("receipt", 10, occurred_at=ago[0])
    await move("issue", 5, occurred_at=ago[2])
    await move("issue", 5)
    by = await past.age(FEBRUARY)
    late = [(datetime.fromisoformat(at) - by).isoformat() for at in ago]
    assert (await move("receipt", 5, occurred_at=late[3])).status_code == 201
    assert (await move("issue", 5, occurred_at=late[1])).status_code == 201
    stock = f"/api/inventory/{item['id']}/stock"
    before = await read(stock)

    await past.detach(FEBRUARY)

    assert (await read("/api/inventory/verify"))["ok"]
    assert (await read(stock))["on_hand"] == before["on_hand"] == "0"
    assert (await read(stock, as_of=KEPT_FROM))["on_hand"] == "0"


async def test_histories_of_lots_and_serials_begin_with_the_ledger_and_say_so(
    make_location, make_item, move, past, read
):
    await make_location("Main")
    await make_location("Shop")
    await make_item("L1", tracking="lot")
    await make_item("S1", tracking="serial")
    await move("receipt", 5, item="L1", lot="B7")
    await move("receipt", None, item="S1", serials=["N1"])
    await past.age(JANUARY)
    await move("transfer", 2, item="L1", lot="B7", to_location="Shop")
    await move("transfer", None, item="S1", serials=["N1"], to_location="Shop")

    await past.detach(JANUARY)

    trace = await read("/api/inventory/lots/B7/trace")
    history = await read("/api/inventory/serials/N1")
    assert trace["kept_from"] == history["kept_from"] == "2018-02-01T00:00:00Z"
    assert [each["kind"] for each in history["items"]] == ["transfer"]
    assert {each["kind"] for each in trace["items"]} == {"transfer"}
    assert history["found"][0]["location"] == "Shop"
    assert (await read("/api/inventory/verify"))["ok"]


async def test_what_is_under_way_keeps_its_month(
    make_location, make_item, move, past, client, caller
):
    async def post(path, body):
        answer = await client.post(path, json=body, headers=caller.headers())
        assert answer.is_success, answer.text
        return answer.json()

    for name in ("Main", "Shop"):
        await make_location(name)
    await make_location("Van", "transit")
    await make_item("A1")
    await move("receipt", 10)
    sent = {"item": "A1", "location": "Main", "to_location": "Shop", "quantity": "4"}
    transfer = await post("/api/inventory/transfers", sent)
    await past.age(JANUARY)
    [due] = await past.due()
    assert due[:2] == ("detach", JANUARY)
    assert "transit" in due[2]
    with pytest.raises(Exception, match="in transit"):
        await past.detach(JANUARY)

    await post(f"/api/inventory/transfers/{transfer['id']}/receive", {"quantity": "4"})
    assert await past.due() == [("detach", JANUARY, None)]
    count = await post("/api/inventory/counts", {"locations": ["Main"]})
    await past.superuser.execute(
        "UPDATE inventory.counts SET opened_at = '2018-01-20' WHERE id = $1::text::uuid",
        count["id"],
    )
    [due] = await past.due()
    assert "count" in due[2]


async def test_an_item_that_moved_long_ago_has_moved(years, past, client, caller):
    await past.superuser.execute(
        "DELETE FROM inventory.movements WHERE tenant_id = $1 AND recorded_at > '2020-01-01'",
        caller.tenant_id,
    )
    await past.detach(JANUARY, FEBRUARY)

    answer = await client.patch(
        f"/api/inventory/{years['id']}",
        json={"unit": "kg"},
        headers=caller.headers() | {"If-Match": f'"{years["version"]}"'},
    )

    assert answer.status_code == 409, answer.text


async def test_months_leave_in_order_and_only_whole_and_old(years, past):
    with pytest.raises(Exception, match="movements_2018_01 is still there"):
        await past.detach(FEBRUARY)
    last_year = (datetime.now(UTC) - timedelta(days=300)).date().replace(day=1)
    async with past.database.transaction(Stamp(None, "worker")) as session:
        with pytest.raises(Exception, match="ended less than a year ago"):
            await service.queries.detach_month(session, last_year)


async def test_what_is_not_journaled_does_not_leave(years, past, superuser):
    async with past.database.transaction(Stamp(None, "worker")) as session:
        with pytest.raises(Exception, match="is not journaled"):
            await service.queries.detach_month(session, JANUARY)
    assert await superuser.fetchval("SELECT count(*) FROM inventory.openings") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO openings (month, movements, since) VALUES ('2018-01-01', 1, now())",
        "UPDATE opening_balances SET quantity = 1",
        "DELETE FROM openings",
        "DELETE FROM movements",
        "SELECT drop_ledger_month('2018-01-01')",
    ],
)
async def test_the_services_role_neither_writes_openings_nor_drops_what_just_left(
    years, past, databases, statement
):
    await past.detach(JANUARY)
    connection = await asyncpg.connect(databases.dsn("inventory_app"))
    try:
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.RaiseError)):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_another_tenant_sees_nothing_of_it(years, past):
    await past.detach(JANUARY)

    async with past.database.transaction(Stamp(uuid4(), "other")) as session:
        assert await service.find_kept_from(session) is None


async def test_who_reads_the_ledger_is_waited_for(years, past, other, superuser):
    transaction = other.transaction()
    await transaction.start()
    await other.execute("SELECT count(*) FROM inventory.movements")
    detaching = asyncio.ensure_future(past.detach(JANUARY))
    await eventually(lambda: superuser.fetchval(WAITS))
    assert not detaching.done()

    await transaction.rollback()

    await detaching
