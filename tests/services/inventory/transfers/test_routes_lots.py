"""Transfers in two stages of items with lots: what arrives is of the lots that were dispatched."""

import pytest

from services.inventory.ledger.errors import InsufficientStock, LotNotFound, LotsNotTracked
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

PATH = "/api/inventory/transfers"


@pytest.mark.parametrize(
    ("arrived", "lying"),
    [
        (7, {("Shop", "L1"): "5", ("Shop", "L2"): "2"}),
        (6, {("Shop", "L1"): "5", ("Shop", "L2"): "1"}),
        (4, {("Shop", "L1"): "4"}),
        (8, {("Shop", "L1"): "5", ("Shop", "L2"): "3"}),
        (0, {}),
    ],
)
async def test_lots_arrive_as_they_were_dispatched(
    client, caller, make_location, make_item, move, arrived, lying
):
    for name, kind in (("Main", "warehouse"), ("Shop", "warehouse"), ("On the road", "transit")):
        await make_location(name, kind)
    await make_item("T1", tracking="lot")
    for lot, expires_on in (("L1", "2098-01-01"), ("L2", "2099-01-01")):
        await move("receipt", 5, item="T1", lot=lot, expires_on=expires_on)
    body = {"item": "T1", "location": "Main", "to_location": "Shop"}
    sent, other = [
        await client.post(PATH, json=body | {"quantity": quantity}, headers=caller.headers())
        for quantity in (7, 3)
    ]
    assert (sent.status_code, other.status_code) == (201, 201)

    received = await client.post(
        f"{PATH}/{sent.json()['id']}/receive",
        json={"quantity": arrived, "reason": "As counted.", "final": True, "over_received": True},
        headers=caller.headers(),
    )

    assert received.status_code == 200, received.text
    looked_up = await client.get("/api/inventory/lookup/T1", headers=caller.headers())
    rows = looked_up.json()["stock"]
    there = {(row["location"], row["lot"]): row["on_hand"] for row in rows}
    assert there == lying | {("On the road", "L2"): "3"}
    assert {row["reserved"] for row in rows if row["location"] == "On the road"} == {"3"}
    verified = await client.get("/api/inventory/verify", headers=caller.headers())
    assert verified.json()["ok"], verified.text


@pytest.fixture
async def lots(make_location, make_item, move):
    """Five of the lot that expires first and five of another at Main, and an item without lots."""
    for name, kind in (("Main", "warehouse"), ("Shop", "warehouse"), ("On the road", "transit")):
        await make_location(name, kind)
    await make_item("T1", tracking="lot")
    await make_item("P1")
    for lot, expires_on in (("L1", "2098-01-01"), ("L2", "2099-01-01")):
        await move("receipt", 5, item="T1", lot=lot, expires_on=expires_on)
    await move("receipt", 5, item="P1")


async def send(client, caller, query="", **changes):
    body = {"item": "T1", "location": "Main", "to_location": "Shop", "quantity": 3} | changes
    return await client.post(f"{PATH}{query}", json=body, headers=caller.headers())


@pytest.mark.usefixtures("lots")
@pytest.mark.parametrize(
    ("lot", "left"), [(None, [("L1", "3")]), ("L2", [("L2", "3")]), ("l2", [("L2", "3")])]
)
async def test_the_named_lot_leaves_or_what_expires_first(client, caller, lot, left):
    tried = await send(client, caller, "?dry_run=true", lot=lot)
    sent = await send(client, caller, lot=lot)

    assert (tried.status_code, sent.status_code) == (201, 201), tried.text
    moved = await client.get(
        f"/api/inventory/movements/{sent.json()['id']}", headers=caller.headers()
    )
    assert [(each["lot"], each["quantity"]) for each in moved.json()["lots"]] == left
    done = await client.post(
        f"{PATH}/{sent.json()['id']}/receive", json={"quantity": 3}, headers=caller.headers()
    )
    assert done.status_code == 200, done.text
    looked_up = await client.get("/api/inventory/lookup/T1", headers=caller.headers())
    arrived = [row for row in looked_up.json()["stock"] if row["location"] == "Shop"]
    assert [(row["lot"], row["on_hand"]) for row in arrived] == left


@pytest.mark.usefixtures("lots")
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"lot": "L1", "quantity": 6}, InsufficientStock),  # There are more, of another lot.
        ({"lot": "L9"}, LotNotFound),
        ({"item": "P1", "lot": "L1"}, LotsNotTracked),
    ],
)
async def test_a_lot_that_cannot_leave_is_refused(client, caller, changes, problem):
    assert_problem(await send(client, caller, **changes), problem)
