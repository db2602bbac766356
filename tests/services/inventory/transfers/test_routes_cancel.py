"""A transfer that is called off: what is still in transit goes back to where it left, once."""

import asyncio

import pytest

from services.inventory.approvals.errors import ApprovalClosed
from services.inventory.freezes.errors import Frozen
from services.inventory.transfers.errors import (
    TransferCalledOff,
    TransferNotFound,
    TransferReceivedAlready,
)
from shared.errors import LocationNotAllowed, MissingScope, ValidationFailed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

PATH = "/api/inventory/transfers"


@pytest.fixture(autouse=True)
async def places(make_location, make_item, move):
    places = {name: (await make_location(name))["id"] for name in ("Main", "Shop")}
    await make_location("Road", "transit")
    await make_item("A1", unit_cost="10")
    await move("receipt", 500)
    return places


@pytest.fixture
def send(client, caller):
    async def request(method, path, body=None, who=None, **headers):
        sent = (who or caller).headers(**headers)
        return await client.request(method, path, json=body, headers=sent)

    return request


@pytest.fixture
def dispatch(send):
    async def post(quantity=10, **more):
        body = {"item": "A1", "location": "Main", "to_location": "Shop", "quantity": quantity}
        sent = await send("POST", PATH, body | more)
        assert sent.status_code == 201, sent.text
        return f"{PATH}/{sent.json()['id']}"

    return post


@pytest.fixture
def cancel(send):
    async def post(path, who=None, query="", **headers):
        body = {"reason": "The truck did not leave."}
        return await send("POST", f"{path}/cancel{query}", body, who, **headers)

    return post


@pytest.fixture
def lying(send):
    async def read(code="A1"):
        found = (await send("GET", f"/api/inventory/lookup/{code}")).json()
        return {(row["location"], row["lot"]): row["on_hand"] for row in found["stock"]}

    return read


@pytest.fixture(autouse=True)
async def verified(send, places):
    yield
    answer = await send("GET", "/api/inventory/verify")
    assert answer.json()["ok"], answer.text


async def test_what_is_in_transit_goes_back_and_what_arrived_stays(send, dispatch, cancel, lying):
    path = await dispatch(10, reference="T-7")
    await send("POST", f"{path}/receive", {"quantity": 4})

    answer = await cancel(path)

    assert answer.status_code == 200, answer.text
    told = answer.json()
    names = ("state", "arrived", "in_transit", "received", "returned", "difference", "reason")
    assert [told[name] for name in names] == [
        "cancelled", "4", "0", "4", "6", "0", "The truck did not leave."
    ]  # fmt: skip
    assert await lying() == {("Main", None): "496", ("Shop", None): "4"}
    found = (await send("GET", "/api/inventory/movements?limit=2")).json()["items"]
    assert [(row["kind"], row["location"], row["change"], row["reference"]) for row in found] == [
        ("transfer", "Main", "6", "T-7"), ("transfer", "Road", "-6", "T-7")
    ]  # fmt: skip
    assert (await send("GET", f"{PATH}?state=cancelled")).json()["items"] == [told]
    for state in ("in_transit", "received"):
        assert (await send("GET", f"{PATH}?state={state}")).json()["items"] == []


async def test_it_is_called_off_once_and_not_received_any_more(send, dispatch, cancel, lying):
    path = await dispatch()

    answers = await asyncio.gather(*(cancel(path) for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 4
    assert_problem(await cancel(path), TransferCalledOff)
    assert_problem(await send("POST", f"{path}/receive", {"quantity": 1}), TransferCalledOff)
    assert_problem(await send("PATCH", path, {"expected_at": None}), TransferCalledOff)
    assert await lying() == {("Main", None): "500"}


async def test_what_was_received_is_not_called_off(send, dispatch, cancel):
    path = await dispatch()
    await send("POST", f"{path}/receive", {"quantity": 10})

    assert_problem(await cancel(path), TransferReceivedAlready)
    assert_problem(await send("POST", f"{path}/cancel", {}), ValidationFailed)


async def test_a_key_and_a_dry_run_are_heeded(dispatch, cancel, lying):
    path = await dispatch()

    tried = await cancel(path, query="?dry_run=true")
    between = await lying()
    answers = [await cancel(path, **{"Idempotency-Key": "off"}) for _ in range(2)]

    assert (tried.status_code, tried.json()["state"]) == (200, "cancelled")
    assert between == {("Main", None): "490", ("Road", None): "10"}
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


async def test_the_same_lots_and_serials_come_back(send, dispatch, cancel, make_item, move, lying):
    await make_item("T1", tracking="lot")
    await make_item("S1", tracking="serial")
    for lot, day in (("L1", "2098-01-01"), ("L2", "2099-01-01")):
        await move("receipt", 5, item="T1", lot=lot, expires_on=day)
    await move("receipt", None, item="S1", serials=["N1", "N2", "N3"])
    lots = await dispatch(8, item="T1")
    serials = await dispatch(None, item="S1", serials=["N1", "N3"])
    await send("POST", f"{lots}/receive", {"quantity": 4})
    await send("POST", f"{serials}/receive", {"serials": ["N3"]})

    for path in (lots, serials):
        assert (await cancel(path)).status_code == 200

    assert await lying("T1") == {("Main", "L1"): "1", ("Main", "L2"): "5", ("Shop", "L1"): "4"}
    found = (await send("GET", "/api/inventory/serials/N1")).json()["found"]
    assert found[0]["location"] == "Main"


async def test_a_frozen_source_takes_nothing_back(send, dispatch, cancel, lying):
    path = await dispatch()
    freeze = {"scope": "location", "location": "Main", "reason": "x"}
    await send("POST", "/api/inventory/freezes", freeze)

    assert_problem(await cancel(path), Frozen)
    assert await lying() == {("Main", None): "490", ("Road", None): "10"}


async def test_who_knows_the_source_calls_it_off(caller, dispatch, cancel, places):
    path = await dispatch()
    main, shop = (Caller(caller.tenant_id, locations=[places[n]]) for n in ("Main", "Shop"))
    viewer = Caller(caller.tenant_id, scopes={"inventory:read"})

    assert_problem(await cancel(path, shop), LocationNotAllowed)
    assert_problem(await cancel(path, viewer), MissingScope)
    assert_problem(await cancel(path, Caller()), TransferNotFound)
    answer = await cancel(path, main)
    assert (answer.json()["location"], answer.json()["to_location"]) == ("Main", None)


async def test_what_waited_for_approval_is_overtaken(caller, send, dispatch, cancel):
    path = await dispatch(300)
    clerk = Caller(caller.tenant_id, scopes={"inventory:read", "stock:write"}, role="clerk")
    asked = await send("POST", f"{path}/receive", {"quantity": 1, "final": True}, clerk)
    assert asked.status_code == 202, asked.text

    assert (await cancel(path)).status_code == 200

    approval = f"/api/inventory/approvals/{asked.json()['id']}/approve"
    assert_problem(await send("POST", approval), ApprovalClosed)
