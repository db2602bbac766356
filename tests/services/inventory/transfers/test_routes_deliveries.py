"""Transfers that arrive in several deliveries, in packs, and as far as callers may know of them."""

import asyncio
from datetime import timedelta

import pytest

from services.inventory.items.errors import UnknownUnit
from services.inventory.ledger.errors import InsufficientStock, QuantityInexact, SerialsNeeded
from services.inventory.locations.errors import LocationNotFound
from services.inventory.transfers.errors import (
    TransferNotFound,
    TransferOverReceived,
    TransferReceivedAlready,
    TransitMissing,
)
from shared.clock import utc_now
from shared.errors import LocationNotAllowed, ValidationFailed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

PATH = "/api/inventory/transfers"
CASE = "18076800195054"


@pytest.fixture(autouse=True)
async def places(make_location, make_item, move):
    """60 of A1 lie at Main, in cases of 12."""
    places = {name: (await make_location(name))["id"] for name in ("Main", "Shop", "Depot")}
    await make_location("Road", "transit")
    await make_item(
        "A1",
        packs=[{"unit": "case", "quantity": "12"}, {"unit": "third", "quantity": "0.3333"}],
        barcodes=[{"code": CASE, "unit": "case"}],
    )
    await move("receipt", 60)
    return places


@pytest.fixture
def send(client, caller):
    async def request(method, path, body=None, who=None, **headers):
        sent = (who or caller).headers(**headers)
        return await client.request(method, path, json=body, headers=sent)

    return request


@pytest.fixture
def dispatch(send):
    async def post(quantity=10, who=None, **more):
        body = {"item": "A1", "location": "Main", "to_location": "Shop", "quantity": quantity}
        return await send("POST", PATH, body | more, who)

    return post


@pytest.fixture
def receive(send):
    async def post(sent, quantity=None, who=None, **more):
        body = more if quantity is None else {"quantity": quantity, **more}
        return await send("POST", f"{PATH}/{sent.json()['id']}/receive", body, who)

    return post


@pytest.fixture
def lying(send):
    async def read(code="A1"):
        found = (await send("GET", f"/api/inventory/lookup/{code}")).json()
        return {
            (row["location"], row["lot"]): (row["on_hand"], row["reserved"])
            for row in found["stock"]
        }

    return read


@pytest.fixture(autouse=True)
async def verified(send, places):
    yield
    answer = await send("GET", "/api/inventory/verify")
    assert answer.json()["ok"], answer.text


def told(answer):
    assert answer.status_code == 200, answer.text
    names = ("state", "arrived", "in_transit", "received", "difference", "version")
    return tuple(answer.json()[name] for name in names)


async def test_what_has_not_arrived_stays_in_transit_until_the_last_delivery(
    send, dispatch, receive, lying, move
):
    sent = await dispatch(10)

    first = await receive(sent, 4)
    road = await lying()
    short = await move("issue", 1, location="Road")
    second = await receive(sent, 1, reason="A wet box.")
    last = await receive(sent, 5)

    assert told(first) == ("in_transit", "4", "6", None, None, 2)
    assert road == {("Main", None): ("50", "0"), ("Road", None): ("6", "6"),
                    ("Shop", None): ("4", "0")}  # fmt: skip
    assert short.status_code == 409
    assert told(second) == ("in_transit", "5", "5", None, None, 3)
    assert told(last) == ("received", "10", "0", "10", "0", 4)
    assert last.json()["reason"] == "A wet box."
    assert_problem(await receive(sent, 1), TransferReceivedAlready)
    assert await lying() == {("Main", None): ("50", "0"), ("Shop", None): ("10", "0")}
    movements = (await send("GET", "/api/inventory/movements?kind=transfer")).json()["items"]
    assert [row["quantity"] for row in movements if row["location"] == "Shop"] == ["5", "1", "4"]


@pytest.mark.parametrize(
    ("quantity", "final", "expected"),
    [
        (3, True, ("received", "7", "0", "7", "-3")), (0, True, ("received", "4", "0", "4", "-6")),
        (8, False, ("received", "12", "0", "12", "2")),
        (6, True, ("received", "10", "0", "10", "0")),
    ],
)  # fmt: skip
async def test_the_difference_is_of_all_deliveries_and_settled_with_the_last(
    send, dispatch, receive, lying, quantity, final, expected
):
    sent = await dispatch(10)
    await receive(sent, 4)

    more = {"over_received": True} if quantity > 6 else {}
    last = await receive(sent, quantity, final=final, reason="As counted.", **more)

    assert told(last)[:-1] == expected
    difference = int(expected[-1])
    found = (await send("GET", "/api/inventory/movements?limit=50")).json()["items"]
    settled = [row for row in found if row["reason_code"] == "transfer_difference"]
    assert [(row["kind"], row["quantity"]) for row in settled] == (
        [] if not difference
        else [("write_off" if difference < 0 else "adjustment", str(abs(difference)))]
    )  # fmt: skip
    assert ("Road", None) not in await lying()


async def test_a_delivery_of_nothing_is_none(dispatch, receive):
    sent = await dispatch(10)

    for body in ({"quantity": 0}, {"serials": []}, {}, {"quantity": -1}):
        assert_problem(await receive(sent, **body), ValidationFailed)


async def test_deliveries_at_once_bring_no_more_than_was_sent(dispatch, receive, lying):
    sent = await dispatch(10)

    answers = await asyncio.gather(*(receive(sent, 2) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [409] * 3
    assert await lying() == {("Main", None): ("50", "0"), ("Shop", None): ("10", "0")}


async def test_lots_arrive_in_the_order_in_which_they_were_dispatched(
    make_item, move, dispatch, receive, lying, send
):
    await make_item("T1", tracking="lot")
    for lot, day in (("L1", "2098-01-01"), ("L2", "2099-01-01")):
        await move("receipt", 5, item="T1", lot=lot, expires_on=day)
    sent = await dispatch(8, item="T1")

    await receive(sent, 4)
    between = await lying("T1")
    await receive(sent, 2)
    last = await receive(sent, 1, final=True)

    assert between == {
        ("Main", "L2"): ("2", "0"), ("Road", "L1"): ("1", "1"), ("Road", "L2"): ("3", "3"),
        ("Shop", "L1"): ("4", "0"),
    }  # fmt: skip
    assert told(last)[:5] == ("received", "7", "0", "7", "-1")
    assert await lying("T1") == {
        ("Main", "L2"): ("2", "0"), ("Shop", "L1"): ("5", "0"), ("Shop", "L2"): ("2", "0"),
    }  # fmt: skip


async def test_serials_arrive_by_name_in_any_delivery(make_item, move, dispatch, receive, lying):
    await make_item("S1", tracking="serial")
    await move("receipt", None, item="S1", serials=["N1", "N2", "N3", "N4"])
    sent = await dispatch(None, item="S1", serials=["N1", "N2", "N3", "N4"])

    first = await receive(sent, serials=["n3", "N1"])
    untold = await receive(sent, 1)
    again = await receive(sent, serials=["N3"])
    last = await receive(sent, serials=["N4"], final=True)

    assert told(first)[:3] == ("in_transit", "2", "2")
    assert_problem(untold, SerialsNeeded)
    assert again.status_code == 409, again.text
    assert told(last)[:5] == ("received", "3", "0", "3", "-1")
    assert last.json()["missing_serials"] == ["N2"]


async def test_what_was_sent_in_cases_is_received_in_cases_where_these_are_named(
    dispatch, receive, send, lying
):
    by_barcode = await dispatch(2, item=CASE)
    by_unit = await dispatch(1, unit="Case")
    item = (await send("GET", "/api/inventory/lookup/A1")).json()["id"]
    smaller = {"packs": [{"unit": "case", "quantity": "10"}, {"unit": "third", "quantity": "1"}]}
    changed = await send("PATCH", f"/api/inventory/{item}", smaller)

    first = await receive(by_barcode, 1, unit="case")
    rest = await receive(by_barcode, 12, unit="each")
    last = await receive(by_unit, 12)

    assert changed.status_code == 200, changed.text
    assert by_barcode.json()["quantity"] == "24"
    assert by_barcode.json()["given"] == {"quantity": "2", "unit": "case"}
    assert told(first)[:3] == ("in_transit", "12", "12")  # As large as when it left.
    assert told(rest)[:4] == ("received", "24", "0", "24")
    assert told(last)[:4] == ("received", "12", "0", "12")
    assert [(each.json()["delivered"], each.json()["delivered_as"]) for each in (first, last)] == [
        ("12", {"quantity": "1", "unit": "case"}), ("12", None)
    ]  # fmt: skip
    assert await lying() == {("Main", None): ("24", "0"), ("Shop", None): ("36", "0")}


async def test_a_quantity_without_a_unit_is_in_stock_units_whatever_was_dispatched(
    dispatch, receive, lying
):
    sent = await dispatch(2, unit="case")

    first = await receive(sent, 20)

    assert told(first)[:3] == ("in_transit", "20", "4")
    assert await lying() == {
        ("Main", None): ("36", "0"), ("Road", None): ("4", "4"), ("Shop", None): ("20", "0")
    }  # fmt: skip


async def test_more_than_is_still_in_transit_is_refused_unless_it_is_meant(
    dispatch, receive, lying, send
):
    sent = await dispatch(2, unit="case")
    await receive(sent, 20)
    before = await lying()

    for body in ({"quantity": 5}, {"quantity": 5, "final": True}):
        refused = await receive(sent, **body)
        assert_problem(
            refused, TransferOverReceived, item="A1", sent="24", already_received="20",
            remaining="4", requested="5", serials=[],
        )  # fmt: skip
        assert "over_received" in refused.json()["detail"]
    in_cases = await receive(sent, 20, unit="case")
    french = await send("POST", f"{PATH}/{sent.json()['id']}/receive", {"quantity": 5},
                        **{"Accept-Language": "fr"})  # fmt: skip

    assert_problem(in_cases, TransferOverReceived, requested="240")
    assert french.json()["title"] == "Plus que ce qui a été expédié", french.text
    assert await lying() == before
    meant = await receive(sent, 5, over_received=True)
    assert told(meant)[:5] == ("received", "25", "0", "25", "1")
    rows = (await send("GET", "/api/inventory/movements?kind=adjustment")).json()["items"]
    assert [(row["reason_code"], row["quantity"], row["location"]) for row in rows] == [
        ("transfer_difference", "1", "Shop")
    ]


async def test_a_unit_that_is_none_of_the_item_is_told(dispatch, receive):
    sent = await dispatch(10)

    assert_problem(await dispatch(1, unit="drum"), UnknownUnit)
    assert_problem(await dispatch("0.0001", unit="third"), QuantityInexact)
    assert_problem(await receive(sent, 1, unit="drum"), UnknownUnit)
    assert_problem(await receive(sent, "0.0001", unit="third"), QuantityInexact)
    assert sent.json()["given"] is None


async def test_what_is_still_under_way_is_expected(send, dispatch, receive, move):
    at = (utc_now() + timedelta(days=2)).isoformat()
    sent = await dispatch(10, expected_at=at)
    await receive(sent, 4)
    item = (await send("GET", "/api/inventory/lookup/A1")).json()

    promised = (await send("GET", f"/api/inventory/{item['id']}/promise")).json()
    refused = await move("issue", 100)

    assert item["in_transit"] == "6"
    figures = [step["available_to_promise"] for step in promised["timeline"]]
    assert figures == ["54", "60"]
    assert refused.json()["next_receipt"]["quantity"] == "6"


async def test_refusals_name_locations(dispatch, make_location, send, receive, move):
    sent = await dispatch(10)
    huge = await dispatch("99999999999999")

    assert_problem(huge, InsufficientStock, location="Main")
    await move("receipt", "99999999999990", location="Shop")
    full = await receive(sent, "10")
    assert full.json()["location"] == "Shop", full.text


async def test_who_is_limited_sends_and_receives_at_his_own_places(
    caller, send, dispatch, receive, places
):
    shop = Caller(caller.tenant_id, locations=[places["Shop"]])
    both = Caller(caller.tenant_id, locations=[places["Shop"], places["Depot"]])
    coming, elsewhere = await dispatch(10), await dispatch(1, to_location="Depot")

    listed = (await send("GET", PATH, None, shop)).json()["items"]
    arrived = await receive(coming, 10, shop)
    back = await dispatch(2, both, location="Shop", to_location="Depot")

    assert [row["id"] for row in listed] == [coming.json()["id"]]
    assert [listed[0][name] for name in ("location", "to_location", "via")] == [None, "Shop", None]
    assert told(arrived)[:2] == ("received", "10")
    assert back.status_code == 201, back.text
    assert [back.json()[name] for name in ("location", "to_location", "via")] == [
        "Shop", "Depot", None
    ]  # fmt: skip
    assert_problem(await receive(back, 2, shop), LocationNotAllowed)
    assert_problem(await receive(elsewhere, 1, shop), TransferNotFound)
    assert_problem(await dispatch(1, shop), LocationNotFound)
    unknown = await dispatch(1, shop, location="Shop", to_location="Depot")
    assert_problem(unknown, LocationNotFound)
    named = await dispatch(1, both, location="Shop", to_location="Depot", via="Road")
    assert_problem(named, TransitMissing)
    path = f"{PATH}/{elsewhere.json()['id']}"
    assert_problem(await send("GET", path, None, shop), TransferNotFound)
    assert_problem(await send("PATCH", path, {"expected_at": None}, shop), TransferNotFound)
    short = await dispatch(90, both, location="Shop", to_location="Depot")
    assert_problem(short, InsufficientStock, available="8", elsewhere=[])
