"""Transfers in two stages: dispatched, in transit where nobody can take it, received once."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from services.inventory.freezes.errors import Frozen
from services.inventory.ledger.errors import InsufficientStock, InTransit, TransferInPlace
from services.inventory.locations.errors import (
    LocationInUse,
    LocationNotFound,
    LocationRetired,
)
from services.inventory.transfers.errors import (
    TransferNotFound,
    TransferReceivedAlready,
    TransitMissing,
)
from shared.clock import utc_now
from shared.errors import MissingScope, ValidationFailed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

PATH = "/api/inventory/transfers"


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    await make_location("Main")
    await make_location("Shop")
    await make_location("On the road", "transit")
    await make_item("A1", unit_cost="2")
    await move("receipt", 10)


@pytest.fixture
def send(client, caller):
    async def request(method, path, body=None, who=None, **headers):
        sent = (who or caller).headers(**headers)
        return await client.request(method, path, json=body, headers=sent)

    return request


@pytest.fixture
def dispatch(send):
    async def post(quantity=4, location="Main", to_location="Shop", **more):
        body = {"item": "A1", "location": location, "to_location": to_location,
                "quantity": quantity} | more  # fmt: skip
        return await send("POST", PATH, body)

    return post


@pytest.fixture
def receive(send):
    async def post(transfer, quantity, **more):
        path = f"{PATH}/{transfer.json()['id']}/receive"
        return await send("POST", path, {"quantity": quantity, **more})

    return post


@pytest.fixture
def totals(send):
    async def read():
        found = (await send("GET", "/api/inventory/lookup/A1")).json()
        whole = (await send("GET", f"/api/inventory/{found['id']}")).json()
        names = ("on_hand", "reserved", "available", "in_transit")
        assert [found[name] for name in names] == [whole[name] for name in names]
        places = {row["location"]: (row["on_hand"], row["available"]) for row in found["stock"]}
        return tuple(int(found[name]) for name in names), places

    return read


async def assert_verified(send):
    verified = await send("GET", "/api/inventory/verify")
    assert verified.json()["ok"], verified.text


async def test_what_is_dispatched_is_in_transit_and_available_nowhere(
    send, dispatch, receive, totals, move
):
    sent = await dispatch(4, reference="T-7")

    assert sent.status_code == 201, sent.text
    assert (sent.json()["state"], sent.json()["via"]) == ("in_transit", "On the road")
    assert await totals() == (
        (10, 4, 6, 4), {"Main": ("6", "6"), "On the road": ("4", "0")}
    )  # fmt: skip
    listed = (await send("GET", PATH)).json()["items"]
    assert listed == [sent.json()]
    short = await move("issue", 7)
    assert_problem(short, InsufficientStock, available="6", elsewhere=[])

    arrived = await receive(sent, 4)

    assert arrived.status_code == 200, arrived.text
    assert (arrived.json()["state"], arrived.json()["difference"]) == ("received", "0")
    assert await totals() == ((10, 0, 10, 0), {"Main": ("6", "6"), "Shop": ("4", "4")})
    assert (await send("GET", PATH)).json()["items"] == []
    assert arrived.json()["delivered"] == "4"
    read = (await send("GET", f"{PATH}/{sent.json()['id']}")).json()
    assert read | {"delivered": "4", "delivered_as": None} == arrived.json()
    assert (await send("GET", f"{PATH}?state=received")).json()["items"] == [read]
    await assert_verified(send)


@pytest.mark.parametrize(
    ("received", "kinds", "shop"),
    [
        ("3", ["write_off", "transfer"], "3"), ("0", ["write_off"], None),
        ("6", ["adjustment", "transfer"], "6"),
    ],
)  # fmt: skip
async def test_a_difference_is_recorded_with_its_reason(
    send, dispatch, receive, totals, received, kinds, shop
):
    sent = await dispatch(4)

    more = {"over_received": True} if received == "6" else {}
    arrived = await receive(sent, received, reason="One box was open.", final=True, **more)

    assert arrived.json()["difference"] == str(int(received) - 4)
    found = (await send("GET", "/api/inventory/movements?limit=3")).json()["items"]
    differing = [row for row in found if row["reason_code"] == "transfer_difference"]
    assert [row["kind"] for row in differing] == kinds[:1]
    assert differing[0]["reason"] == "One box was open."
    assert differing[0]["quantity"] == str(abs(int(received) - 4))
    (_on_hand, reserved, _available, in_transit), places = await totals()
    assert (reserved, in_transit) == (0, 0)
    assert places.get("Shop", (None, None))[0] == shop
    await assert_verified(send)


async def test_what_was_dispatched_is_received_once(send, dispatch, receive, totals):
    for _ in range(4):
        sent = await dispatch(2)

        answers = await asyncio.gather(*(receive(sent, 2) for _ in range(6)))

        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
        for answer in answers:
            if answer.status_code != 200:
                assert_problem(answer, TransferReceivedAlready)
    assert await totals() == ((10, 0, 10, 0), {"Main": ("2", "2"), "Shop": ("8", "8")})
    await assert_verified(send)


async def test_nothing_is_received_before_it_was_dispatched(monkeypatch, dispatch, receive):
    sent = await dispatch(4)
    monkeypatch.setattr("shared.web.requests.utc_now", lambda: utc_now() - timedelta(hours=1))
    received = await receive(sent, 4, final=True)

    assert received.json()["received_at"] == sent.json()["dispatched_at"], received.text


async def test_many_at_once_in_both_directions_lose_nothing(send, dispatch, receive, totals, move):
    await move("receipt", 30, location="Shop")
    ends = (("Main", "Shop"), ("Shop", "Main")) * 10
    sent = await asyncio.gather(
        *(dispatch(1, location=start, to_location=goal) for start, goal in ends),
        *(move("issue", 1, location=start) for start, _ in ends[:6]),
    )
    under_way = [each for each in sent if each.status_code == 201 and "state" in each.json()]

    arrived = await asyncio.gather(
        *(receive(each, 1) for each in under_way),
        *(dispatch(1, location=start, to_location=goal) for start, goal in ends[:6]),
    )

    assert {answer.status_code for answer in arrived} <= {200, 201, 409}
    (on_hand, reserved, available, in_transit), _ = await totals()
    issued = sum(each.status_code == 201 and "state" not in each.json() for each in sent)
    assert on_hand == 40 - issued
    listed = (await send("GET", f"{PATH}?limit=100")).json()["items"]
    assert in_transit == reserved == len(listed)
    assert available == on_hand - in_transit
    await assert_verified(send)


async def test_nothing_else_moves_what_is_in_transit(send, dispatch, move):
    sent = await dispatch(4)

    for answer in (
        await move("issue", 1, location="On the road"),
        await move("receipt", 1, location="On the road"),
        await move("count_correction", 0, location="On the road"),
        await move("transfer", 1, to_location="On the road"),
        await send("POST", f"/api/inventory/movements/{sent.json()['id']}/reverse",
                   {"reason": "x"}),
    ):  # fmt: skip
        assert_problem(answer, InTransit)


async def test_what_cannot_be_dispatched_is_refused_and_changes_nothing(
    send, dispatch, totals, client, caller, make_location
):
    before = await totals()
    closed = await make_location("Closed")
    await send("POST", "/api/inventory/freezes",
               {"scope": "location", "location": "Closed", "reason": "x"})  # fmt: skip

    assert_problem(await dispatch(11), InsufficientStock, available="10", location="Main")
    assert_problem(await dispatch(to_location="Main"), TransferInPlace)
    assert_problem(await dispatch(to_location="Nowhere"), LocationNotFound)
    assert_problem(await dispatch(to_location="On the road"), InTransit)
    assert_problem(await dispatch(location="Closed"), Frozen)
    assert_problem(await dispatch(via="Shop"), TransitMissing)
    assert_problem(await dispatch(0), ValidationFailed)
    assert_problem(await dispatch(via=closed["id"]), TransitMissing)
    assert await totals() == before
    assert (await send("GET", PATH)).json()["items"] == []


async def test_where_stock_is_going_stays_in_use(send, dispatch, receive, totals):
    places = {
        row["name"]: row["id"] for row in (await send("GET", "/api/locations")).json()["items"]
    }
    sent = await dispatch(4)

    for name in ("Shop", "On the road"):
        assert_problem(await send("DELETE", f"/api/locations/{places[name]}"), LocationInUse)
    await receive(sent, 0, final=True)
    assert (await send("DELETE", f"/api/locations/{places['Shop']}")).status_code == 204
    assert_problem(await dispatch(1), LocationRetired)


async def test_a_receipt_that_is_frozen_leaves_it_in_transit(send, dispatch, receive, totals):
    sent = await dispatch(4)
    before = await totals()
    await send("POST", "/api/inventory/freezes",
               {"scope": "location", "location": "Shop", "reason": "x"})  # fmt: skip

    assert_problem(await receive(sent, 4), Frozen)
    assert await totals() == before


async def test_the_same_key_dispatches_once(send, totals):
    body = {"item": "A1", "location": "Main", "to_location": "Shop", "quantity": 4}

    answers = [await send("POST", PATH, body, **{"Idempotency-Key": "t"}) for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert (await totals())[0] == (10, 4, 6, 4)


async def test_who_may_not_sends_nothing(send, caller, dispatch):
    sent = await dispatch(1)
    path = f"{PATH}/{sent.json()['id']}"
    viewer = Caller(caller.tenant_id, scopes={"inventory:read"})
    limited = Caller(caller.tenant_id, locations=[uuid4()])
    receipt = {"quantity": 1}

    assert_problem(await send("POST", f"{path}/receive", {"quantity": 1}, viewer), MissingScope)
    assert_problem(await send("POST", f"{path}/receive", receipt, limited), TransferNotFound)
    assert (await send("GET", PATH, None, limited)).json()["items"] == []
    assert_problem(await send("GET", path, None, Caller()), TransferNotFound)
    strange = await send("POST", f"{path}/receive", {"quantity": 1}, Caller())
    assert_problem(strange, TransferNotFound)
    assert (await send("GET", PATH, None, viewer)).status_code == 200


async def test_without_a_location_of_type_transit_one_is_asked_for(send):
    stranger = Caller()
    for name in ("Main", "Shop"):
        await send("POST", "/api/locations", {"name": name, "type": "warehouse"}, stranger)
    await send("POST", "/api/inventory", {"code": "A1", "name": "A1"}, stranger)
    body = {"item": "A1", "location": "Main", "to_location": "Shop", "quantity": 4}

    assert_problem(await send("POST", PATH, body, stranger), TransitMissing)


async def test_what_was_done_to_stock_in_transit_behind_the_service_is_named(
    send, dispatch, caller, databases
):
    await dispatch(4)
    owner = await asyncpg.connect(databases.superuser_dsn)
    await owner.execute(
        "UPDATE inventory.transfers SET quantity = 5 WHERE tenant_id = $1", caller.tenant_id
    )
    await owner.close()

    found = (await send("GET", "/api/inventory/verify")).json()

    assert [(row["kind"], row["expected"], row["found"]) for row in found["differences"]] == [
        ("in_transit", "5", "4")
    ]
