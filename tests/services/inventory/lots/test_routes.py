"""Lots of an item: in the order in which they go out, corrected, and traced both ways."""

import asyncio
from datetime import timedelta

import pytest

from services.inventory.freezes.errors import Frozen
from services.inventory.items.errors import ItemNotFound
from services.inventory.ledger.errors import LotExpired, LotNotFound
from shared.clock import utc_now
from shared.errors import MissingScope, PreconditionFailed
from tests.support.services import Caller, assert_problem
from tests.support.waiting import until_blocked_by

pytestmark = pytest.mark.stack


def day(days: int) -> str:
    return (utc_now().date() + timedelta(days=days)).isoformat()


@pytest.fixture
async def item(make_location, make_item):
    await make_location("Main")
    await make_location("Shop")
    return await make_item("A1", tracking="lot")


@pytest.fixture(autouse=True)
async def lots(item, move):
    """Three lots: the second expires first, the third never."""
    for code, expires_on, reference in (
        ("L1", day(30), "PO-1"), ("L2", day(9), "PO-2"), ("L3", None, "PO-3"),
    ):  # fmt: skip
        more = {"lot": code, "reference": reference}
        answer = await move(
            "receipt", 5, **more, **({"expires_on": expires_on} if expires_on else {})
        )
        assert answer.status_code == 201, answer.text


@pytest.fixture
def get(client, caller):
    async def read(path, who=None, **query):
        return await client.get(path, params=query, headers=(who or caller).headers())

    return read


@pytest.fixture
def list_lots(get, item):
    async def read(**query):
        answer = await get(f"/api/inventory/{item['id']}/lots", **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return read


@pytest.fixture
def change(client, caller, item, list_lots):
    async def patch(code, headers=None, who=None, **body):
        [lot_id] = [lot["id"] for lot in (await list_lots())["items"] if lot["lot"] == code]
        path = f"/api/inventory/{item['id']}/lots/{lot_id}"
        return await client.patch(
            path, json=body, headers=(who or caller).headers(**(headers or {}))
        )

    return patch


async def test_lots_are_listed_as_they_go_out_with_where_they_lie(move, list_lots):
    await move("transfer", 2, lot="L2", to_location="Shop")

    listed = (await list_lots())["items"]

    assert [(lot["lot"], lot["expires_on"]) for lot in listed] == [
        ("L2", day(9)), ("L1", day(30)), ("L3", None),
    ]  # fmt: skip
    first = listed[0]
    assert (first["on_hand"], first["expired"]) == ("5", False)
    assert [(row["location"], row["on_hand"], row["available"]) for row in first["stock"]] == [
        ("Main", "3", "3"), ("Shop", "2", "2"),
    ]  # fmt: skip


async def test_pages_follow_one_another(list_lots):
    seen, cursor = [], {}
    for _ in range(3):
        page = await list_lots(limit=1, **cursor)
        seen += [lot["lot"] for lot in page["items"]]
        cursor = {"cursor": page["next_cursor"]}

    assert seen == ["L2", "L1", "L3"]
    assert page["next_cursor"] is None


async def test_those_in_stock_alone_can_be_asked_for(move, list_lots):
    await move("issue", 5)

    assert [lot["lot"] for lot in (await list_lots(in_stock="true"))["items"]] == ["L1", "L3"]
    assert len((await list_lots())["items"]) == 3


async def test_an_expiry_is_corrected_and_goes_by_that(client, caller, move, change, get):
    corrected = await change("L1", expires_on=day(-1))

    assert corrected.status_code == 200, corrected.text
    assert (corrected.json()["expired"], corrected.json()["on_hand"]) == (True, "5")
    assert_problem(await move("issue", 1, lot="L1"), LotExpired, expires_on=day(-1))
    cleared = await change("L1", expires_on=None)
    assert (cleared.json()["expires_on"], cleared.json()["version"]) == (None, 3)
    assert (await move("issue", 1, lot="L1")).status_code == 201


async def test_a_correction_of_an_old_state_is_refused(change):
    await change("L1", expires_on=day(3))

    assert_problem(await change("L1", {"If-Match": '"1"'}, expires_on=day(4)), PreconditionFailed)


async def test_a_correction_needs_the_scope_a_lot_and_no_freeze(client, caller, item, change):
    limited = Caller(tenant_id=caller.tenant_id, scopes=frozenset({"inventory:read"}))
    assert_problem(await change("L1", who=limited, expires_on=day(3)), MissingScope)
    path = f"/api/inventory/{item['id']}/lots/{item['id']}"
    unknown = await client.patch(path, json={"expires_on": day(3)}, headers=caller.headers())
    assert_problem(unknown, LotNotFound, item="A1")

    body = {"scope": "item", "item": "A1", "reason": "Recall."}
    frozen = await client.post("/api/inventory/freezes", json=body, headers=caller.headers())

    assert frozen.status_code == 201, frozen.text
    assert_problem(await change("L1", expires_on=day(3)), Frozen)


async def test_a_correction_waits_for_movements_of_the_item(databases, other, item, change):
    transaction = other.transaction()
    await transaction.start()
    await other.execute("SELECT FROM inventory.items WHERE id = $1 FOR KEY SHARE", item["id"])

    correcting = asyncio.create_task(change("L1", expires_on=day(3)))

    await until_blocked_by(databases, other)
    await transaction.rollback()
    assert (await correcting).status_code == 200


async def test_once_a_lot_is_said_to_have_expired_none_is_issued(move, change):
    answers = await asyncio.gather(
        *(move("issue", 1, lot="L2") for _ in range(4)), change("L2", expires_on=day(-1))
    )

    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    assert_problem(await move("issue", 1, lot="L2"), LotExpired)


async def test_a_lot_is_traced_to_where_it_came_from_and_where_it_went(caller, move, get):
    await move("transfer", 2, lot="L2", to_location="Shop", reference="T-1")
    await move("issue", 1, lot="L2", location="Shop", reference="SO-7")
    await move("write_off", 1, lot="L2", reason_code="damaged")
    await move("issue", 1, lot="L1")

    traced = (await get("/api/inventory/lots/l2/trace", item="A1")).json()["items"]

    told = [
        (row["way"], row["kind"], row["location"], row["other_location"], row["reference"])
        for row in reversed(traced)
    ]
    assert told == [
        ("in", "receipt", "Main", None, "PO-2"),
        ("out", "transfer", "Main", "Shop", "T-1"),
        ("in", "transfer", "Shop", "Main", "T-1"),
        ("out", "issue", "Shop", None, "SO-7"),
        ("out", "write_off", "Main", None, None),
    ]
    assert {row["actor"] for row in traced} == {f"user:{caller.id}"}
    assert {row["lot"] for row in traced} == {"L2"}
    out = (await get("/api/inventory/lots/L2/trace", way="out")).json()["items"]
    assert [row["kind"] for row in out] == ["write_off", "issue", "transfer"]


async def test_a_trace_is_of_one_item_or_of_all_that_have_such_a_lot(make_item, move, get):
    await make_item("B1", tracking="lot")
    await move("receipt", 1, item="B1", lot="L2")

    both = (await get("/api/inventory/lots/L2/trace", limit=1)).json()
    rest = (await get("/api/inventory/lots/L2/trace", cursor=both["next_cursor"])).json()
    one = (await get("/api/inventory/lots/L2/trace", item="B1")).json()

    assert [row["item"] for row in both["items"] + rest["items"]] == ["B1", "A1"]
    assert [row["item"] for row in one["items"]] == ["B1"]


async def test_what_is_not_there_is_not_found(get, item):
    assert_problem(await get("/api/inventory/lots/L9/trace"), LotNotFound, lot="L9")
    assert_problem(await get("/api/inventory/lots/L1/trace", item="B9"), LotNotFound)
    stranger = Caller()
    assert_problem(await get("/api/inventory/lots/L1/trace", who=stranger), LotNotFound)
    assert_problem(await get(f"/api/inventory/{item['id']}/lots", who=stranger), ItemNotFound)


async def test_who_is_limited_is_told_of_his_locations_alone(caller, client, item, move, get):
    places = (await get("/api/locations")).json()["items"]
    [shop] = [place["id"] for place in places if place["name"] == "Shop"]
    limited = Caller(tenant_id=caller.tenant_id, locations=[shop])
    await move("transfer", 2, lot="L2", to_location="Shop")

    listed = (await get(f"/api/inventory/{item['id']}/lots", who=limited)).json()["items"]
    traced = (await get("/api/inventory/lots/L2/trace", who=limited)).json()["items"]

    assert [(lot["lot"], lot["on_hand"]) for lot in listed] == [("L2", "2")]
    assert [(row["location"], row["other_location"]) for row in traced] == [("Shop", None)]
    assert_problem(await get("/api/inventory/lots/L1/trace", who=limited), LotNotFound)
