"""Transfers in two stages of items with serials: what arrives is told by name."""

import pytest

from services.inventory.ledger.errors import (
    SerialsDiffer,
    SerialsInStock,
    SerialsNeeded,
    SerialsNotThere,
    SerialsNotTracked,
)
from services.inventory.transfers.errors import TransferOverReceived
from services.inventory.transfers.rules import part_arrival
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

PATH = "/api/inventory/transfers"


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    for name, kind in (("Main", "warehouse"), ("Shop", "warehouse"), ("On the road", "transit")):
        await make_location(name, kind)
    await make_item("T1", tracking="serial")
    await move("receipt", None, item="T1", serials=["S1", "S2", "S3", "S4"])


@pytest.fixture
def dispatch(client, caller):
    async def post(**more):
        body = {"item": "T1", "location": "Main", "to_location": "Shop", **more}
        return await client.post(PATH, json=body, headers=caller.headers())

    return post


@pytest.fixture
def receive(client, caller):
    async def post(sent, **more):
        path = f"{PATH}/{sent.json()['id']}/receive"
        return await client.post(path, json=more, headers=caller.headers())

    return post


@pytest.fixture
def lying(client, caller):
    async def read():
        found = await client.get("/api/inventory/lookup/T1", headers=caller.headers())
        return {row["location"]: (row["on_hand"], row["reserved"]) for row in found.json()["stock"]}

    return read


@pytest.fixture(autouse=True)
async def verified(client, caller, stock):
    yield
    answer = await client.get("/api/inventory/verify", headers=caller.headers())
    assert answer.json()["ok"], answer.text


async def test_all_that_was_dispatched_arrives(dispatch, receive, lying):
    sent = await dispatch(serials=["S1", "s2"])
    on_the_road = await lying()
    received = await receive(sent, quantity="2")

    assert sent.status_code == 201, sent.text
    assert sent.json()["quantity"] == "2"
    assert on_the_road == {"Main": ("2", "0"), "On the road": ("2", "2")}
    assert received.status_code == 200, received.text
    assert received.json()["missing_serials"] == []
    assert await lying() == {"Main": ("2", "0"), "Shop": ("2", "0")}


async def test_what_is_missing_is_told_and_what_is_more_comes(dispatch, receive, lying):
    sent = await dispatch(serials=["S1", "S2", "S3"])
    found = {"serials": ["s1", "S3", "S9"], "reason": "As counted.", "final": True}
    refused = await receive(sent, **found)
    received = await receive(sent, **found, over_received=True)

    assert_problem(refused, TransferOverReceived, sent="3", remaining="3", serials=["S9"])
    assert received.status_code == 200, received.text
    told = received.json()
    assert (told["received"], told["difference"], told["missing_serials"]) == ("3", "0", ["S2"])
    assert await lying() == {"Main": ("1", "0"), "Shop": ("3", "0")}


async def test_what_does_not_fit_is_refused(dispatch, receive, make_item, move, lying):
    await make_item("B1")
    await move("receipt", 3, item="B1")
    nameless = await dispatch(quantity="1")
    gone = await dispatch(serials=["S7"])
    sent = await dispatch(serials=["S1", "S2"], quantity="2")
    again = await dispatch(serials=["S1"])
    untold = await receive(sent, quantity="1")
    other = await receive(sent, quantity="1", serials=["S1", "S2"])
    elsewhere = await receive(sent, serials=["S1", "S3"], over_received=True)
    plain = await dispatch(item="B1", quantity="1")
    named = await receive(plain, serials=["S1"])
    none = await receive(sent, serials=[], final=True)

    assert_problem(nameless, SerialsNeeded)
    assert_problem(gone, SerialsNotThere)
    assert again.json()["serials"] == [
        {"serial": "S1", "reason": "elsewhere", "location": "On the road"}
    ]
    assert_problem(untold, SerialsNeeded)
    assert_problem(other, SerialsDiffer, requested="1", named=2)
    assert_problem(elsewhere, SerialsInStock)
    assert_problem(named, SerialsNotTracked)
    assert none.json()["missing_serials"] == ["S1", "S2"]
    assert await lying() == {"Main": ("2", "0")}


def test_serials_are_parted_by_their_keys():
    carried = [("a", 1), ("b", 1)]

    assert part_arrival(carried, ["a", "b"], ["b", "c"]) == ([("b", 1)], [("a", 1)], [1])
