"""How long what is low will last, and what to order of it, over HTTP."""

from datetime import timedelta

import pytest

from services.inventory.freezes.errors import Frozen
from shared.clock import utc_now
from shared.errors import ValidationFailed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack


def ago(days):
    return (utc_now() - timedelta(days=days)).isoformat()


@pytest.fixture
def send(client, caller):
    async def request(method, path, body=None, who=None, **query):
        return await client.request(
            method, f"/api/{path}", json=body, params=query, headers=(who or caller).headers()
        )

    return request


@pytest.fixture
def low(send):
    async def get(who=None, **query):
        answer = await send("GET", "inventory/low-stock", None, who, **query)
        assert answer.status_code == 200, answer.text
        return {item["code"]: item for item in answer.json()["items"]}

    return get


@pytest.fixture
async def stock(make_location, make_item, move):
    """Of A1, 7 a day were used over 28 days: 196, at Main but for 28 at Shop."""
    places = {name: (await make_location(name))["id"] for name in ("Main", "Shop")}
    await make_location("Road", "transit")
    item = await make_item(
        "A1", reorder_point="60", maximum="100", pack_size="12", pack_unit="case", lead_time_days=9
    )
    await move("receipt", 250, occurred_at=ago(90))
    await move("receipt", 35, location="Shop", occurred_at=ago(90))
    await move("issue", 30, occurred_at=ago(40))  # Too long ago.
    await move("issue", 178, occurred_at=ago(10))
    await move("issue", 28, location="Shop", occurred_at=ago(3))
    await move("return", 10, reason_code="not_needed", occurred_at=ago(2))
    return places | {"A1": item["id"]}


async def test_how_long_it_lasts_and_what_to_order(low, stock):
    found = (await low())["A1"]

    assert [found[name] for name in ("available", "daily_use", "days_of_stock")] == [
        "59", "7", "8.4286"
    ]  # fmt: skip
    assert found["stock_out_on"] == (utc_now() + timedelta(days=59 / 7)).date().isoformat()
    assert found["short_in_lead_time"] is True
    assert found["suggested_quantity"] == "48"  # 41 in cases of 12.
    assert (await low(use_days=7))["A1"]["daily_use"] == "2.5714"


@pytest.mark.parametrize(
    ("first", "use_days", "daily_use"),
    [(10, 28, "2"), (10, 5, "4"), (0.5, 28, "20"), (40, 28, "0.7143")],
)
async def test_an_item_younger_than_the_days_of_use_is_divided_by_its_own(
    low, stock, make_item, move, first, use_days, daily_use
):
    await make_item("NEW", reorder_point="60")
    await move("receipt", 50, item="NEW", occurred_at=ago(first))
    await move("issue", 20, item="NEW", occurred_at=ago(first / 3))

    found = await low(use_days=use_days)

    assert found["NEW"]["daily_use"] == daily_use
    at_main = await low(use_days=use_days, location="Main")
    assert at_main["NEW"]["daily_use"] == daily_use


async def test_what_was_undone_and_what_went_to_a_supplier_was_not_used(low, stock, send, move):
    undone = await move("issue", 20, occurred_at=ago(5))
    path = f"inventory/movements/{undone.json()['id']}/reverse"
    reversed_ = await send("POST", path, {"reason": "typo"})
    await move("return", 2, reason_code="not_needed", direction="out")

    assert reversed_.status_code == 201, reversed_.text
    assert (await low())["A1"]["daily_use"] == "7"


async def test_a_location_is_told_by_its_own_use_and_receipts(low, stock, send):
    planned = {"reorder_point": "20", "par_level": "30"}
    await send("PUT", f"inventory/{stock['A1']}/planning/{stock['Shop']}", planned)
    at = (utc_now() + timedelta(days=4)).isoformat()
    late = (utc_now() + timedelta(days=60)).isoformat()
    body = {"item": "A1", "location": "Main", "to_location": "Shop"}
    await send("POST", "inventory/transfers", body | {"quantity": 5, "expected_at": at})
    await send("POST", "inventory/transfers", body | {"quantity": 2, "expected_at": late})
    await send("POST", "inventory/transfers", body | {"quantity": 1})

    shop, in_all = (await low(location="Shop"))["A1"], (await low())["A1"]

    assert [shop[name] for name in ("available", "daily_use", "days_of_stock")] == ["7", "1", "7"]
    assert (shop["expected"], shop["expected_before"]) == ("8", "5")
    assert shop["stock_out_on"] == (utc_now() + timedelta(days=12)).date().isoformat()
    assert (shop["short_in_lead_time"], shop["suggested_quantity"]) == (False, "96")
    assert (in_all["available"], in_all["in_transit"], in_all["expected"]) == ("51", "8", "8")


async def test_what_is_under_way_is_not_ordered_twice(low, make_item, move, stock, send):
    await make_item("B1", par_level="10")
    await move("receipt", 12, item="B1")
    body = {"item": "B1", "location": "Main", "to_location": "Shop", "quantity": 5}
    await send("POST", "inventory/transfers", body)

    found = (await low())["B1"]

    assert [found[name] for name in ("available", "shortfall", "suggested_quantity")] == [
        "7", "3", "0"
    ]  # fmt: skip
    assert [found[name] for name in ("daily_use", "days_of_stock", "stock_out_on")] == [
        "0", None, None
    ]  # fmt: skip


async def test_who_is_limited_is_told_of_the_use_at_his_places(low, stock, caller):
    shop = Caller(caller.tenant_id, locations=[stock["Shop"]])

    assert [(await low(shop))["A1"][name] for name in ("available", "daily_use")] == ["7", "1"]


@pytest.mark.parametrize("days", [0, 367, "x"])
async def test_days_are_bounded(send, days):
    assert_problem(await send("GET", "inventory/low-stock", use_days=days), ValidationFailed)


async def test_lists_tell_what_is_in_transit(send, stock, caller):
    body = {"item": "A1", "location": "Main", "to_location": "Shop", "quantity": 5}
    await send("POST", "inventory/transfers", body)
    limited = Caller(caller.tenant_id, locations=[stock["Main"], stock["Shop"]])

    listed = (await send("GET", "inventory")).json()["items"]
    searched = (await send("GET", "inventory/search", q="A1")).json()["items"]
    own = (await send("GET", "inventory", None, limited)).json()["items"]

    assert [(row["on_hand"], row["in_transit"]) for row in listed + searched] == [("59", "5")] * 2
    assert [(row["on_hand"], row["in_transit"]) for row in own] == [("54", "0")]


async def test_values_at_a_frozen_location_are_not_removed(send, stock):
    path = f"inventory/{stock['A1']}/planning/{stock['Shop']}"
    await send("PUT", path, {"par_level": "30"})
    freeze = {"scope": "location", "location": "Shop", "reason": "x"}
    await send("POST", "inventory/freezes", freeze)

    assert_problem(await send("DELETE", path), Frozen)
    assert (await send("GET", path)).json()["par_level"] == "30"
