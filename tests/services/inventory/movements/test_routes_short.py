"""Refusals for lack of stock: what there is, what of it is reserved, and where else."""

import asyncpg
import pytest

from services.inventory.ledger.errors import InsufficientStock
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

BULK = "/api/inventory/movements/bulk"
AMOUNTS = {"Main": 3, "P1": 1, "P2": 40, "P3": 7, "P4": 7, "P5": 2, "P6": 5, "Closed": 90}


@pytest.fixture(autouse=True)
async def stock(client, caller, make_location, make_item, move, databases):
    """Seven places besides Main, one of them frozen; two of Main's three are reserved."""
    await make_item("A1")
    for name, quantity in AMOUNTS.items():
        await make_location(name)
        await move("receipt", quantity, location=name)
    freeze = {"scope": "location", "location": "Closed", "reason": "x"}
    await client.post("/api/inventory/freezes", json=freeze, headers=caller.headers())
    owner = await asyncpg.connect(databases.superuser_dsn)
    await owner.execute(
        "UPDATE inventory.levels SET reserved = 2 WHERE tenant_id = $1 AND on_hand = 3",
        caller.tenant_id,
    )
    await owner.close()


def told(*names):
    return [{"location": name, "available": str(AMOUNTS[name])} for name in names]


async def test_the_refusal_says_what_there_is_and_where_else(move):
    refused = await move("issue", 5)

    assert_problem(
        refused,
        InsufficientStock,
        available="1",
        on_hand="3",
        reserved="2",
        requested="5",
        elsewhere=told("P2", "P3", "P4", "P6", "P5"),
    )


async def test_both_ends_of_a_transfer_are_left_out(move):
    refused = await move("transfer", 5, to_location="P2")

    assert refused.json()["elsewhere"] == told("P3", "P4", "P6", "P5", "P1")


async def test_only_places_that_the_caller_may_know_are_told(client, caller, move):
    places = (await client.get("/api/locations", headers=caller.headers())).json()["items"]
    known = [place["id"] for place in places if place["name"] in {"Main", "P5", "P6"}]
    limited = Caller(caller.tenant_id, locations=known)
    line = {"kind": "issue", "item": "A1", "location": "Main", "quantity": 5}

    single = await client.post("/api/inventory/movements", json=line, headers=limited.headers())
    bulk = await client.post(
        BULK, json={"mode": "each", "lines": [line]}, headers=limited.headers()
    )

    assert single.json()["elsewhere"] == told("P6", "P5")
    assert bulk.json()["results"][0]["elsewhere"] == told("P6", "P5")


async def test_every_line_that_fails_is_told_at_once_each_with_what_there_is(
    client, caller, make_item
):
    await make_item("B1")
    lines = [
        {"kind": "issue", "item": item, "location": place, "quantity": quantity}
        for item, place, quantity in (
            ("A1", "Main", 2), ("B1", "Main", 1), ("A1", "P1", 1), ("A1", "P1", 9), ("Z9", "P1", 1)
        )
    ]  # fmt: skip

    refused = await client.post(BULK, json={"lines": lines}, headers=caller.headers())

    assert refused.status_code == 409
    rows = {row["line"]: row for row in refused.json()["results"]}
    assert {line: row["code"] for line, row in rows.items()} == {
        0: "insufficient_stock", 1: "insufficient_stock", 3: "insufficient_stock",
        4: "item_not_found",
    }  # fmt: skip
    assert (rows[0]["on_hand"], rows[0]["reserved"], rows[0]["available"]) == ("3", "2", "1")
    assert rows[1]["elsewhere"] == []
    assert (rows[3]["on_hand"], rows[3]["available"]) == ("0", "0")
    assert rows[3]["elsewhere"] == told("P2", "P3", "P4", "P6", "P5")
    assert rows[4]["elsewhere"] is rows[4]["on_hand"] is None


async def test_a_late_refusal_and_a_count_tell_it_too(move):
    then = await move("issue", 1, occurred_at="2026-01-01T00:00:00Z")
    counted = await move("count_correction", 1)

    assert (then.json()["on_hand"], then.json()["elsewhere"][0]["location"]) == ("3", "P2")
    assert (counted.json()["on_hand"], counted.json()["reserved"]) == ("3", "2")
    assert counted.json()["elsewhere"] == []


async def test_a_reversed_transfer_names_the_end_that_lacks(client, caller, move):
    moved = await move("transfer", 4, location="P2", to_location="P1")
    await move("issue", 3, location="P1")

    path = f"/api/inventory/movements/{moved.json()['id']}/reverse"
    refused = await client.post(path, json={"reason": "x"}, headers=caller.headers())

    assert_problem(refused, InsufficientStock, location="P1", available="2", requested="4")
