"""Movements in other units than the stock unit, over HTTP."""

import asyncio

import pytest

from services.inventory.items.errors import UnknownUnit
from services.inventory.ledger.errors import (
    BalanceTooLarge,
    CountTooLow,
    InsufficientStock,
    QuantityInexact,
)
from tests.support.services import assert_problem
from tests.support.waiting import until_blocked_by

pytestmark = pytest.mark.stack

BARCODES = ["UNIT-1", {"code": "CASE-1", "unit": "case"}]
PACKS = [{"unit": "case", "quantity": "12"}, {"unit": "scoop", "quantity": "0.0003"}]


@pytest.fixture(autouse=True)
async def item(make_location, make_item):
    await make_location("Main")
    await make_location("Shop")
    return await make_item("A1", packs=PACKS, barcodes=BARCODES)


@pytest.fixture
def change(client, caller, item):
    async def patch(**body):
        path = f"/api/inventory/{item['id']}"
        return await client.patch(path, json=body, headers=caller.headers())

    return patch


async def listed(client, caller):
    answer = await client.get("/api/inventory/movements", headers=caller.headers())
    return [(m["change"], m["given"]) for m in answer.json()["items"]]


async def test_a_movement_in_cases_moves_stock_units_and_keeps_what_was_given(client, caller, move):
    received = (await move("receipt", "2.5", unit="CASE", key="once")).json()
    again = (await move("receipt", "2.5", unit="CASE", key="once")).json()
    await move("transfer", 1, unit="case", to_location="Shop")
    await move("issue", 3, unit="each")
    await move("issue", 3)

    in_cases = {"quantity": "2.5", "unit": "case"}
    assert (received["quantity"], received["given"], received["balance_after"]) == (
        "30", in_cases, "30",
    )  # fmt: skip
    assert again == received
    one, three = {"quantity": "1", "unit": "case"}, {"quantity": "3", "unit": "each"}
    assert await listed(client, caller) == [
        ("-3", None), ("-3", three), ("12", one), ("-12", one), ("30", in_cases),
    ]  # fmt: skip


async def test_the_barcode_of_a_case_moves_a_case(move):
    by_case = (await move("receipt", 2, item="case-1")).json()
    by_unit = (await move("receipt", 2, item="UNIT-1")).json()
    named = (await move("issue", 2, item="CASE-1", unit="each")).json()
    counted = (await move("count_correction", 3, item="CASE-1")).json()

    assert (by_case["quantity"], by_case["given"]) == ("24", {"quantity": "2", "unit": "case"})
    assert (by_unit["quantity"], by_unit["given"]) == ("2", None)
    assert named["quantity"] == "2"
    assert (counted["change"], counted["balance_after"]) == ("12", "36")


async def test_a_unit_that_is_not_the_items_is_refused_with_those_that_are(move):
    response = await move("receipt", 2, unit="barrel")

    assert_problem(response, UnknownUnit, unit="barrel", units=["each", "case", "scoop"])
    assert "each, case, scoop" in response.json()["detail"]


async def test_what_is_not_exact_in_stock_units_is_refused(move):
    exact = await move("receipt", "2", unit="scoop")
    response = await move("receipt", "2.5", unit="scoop")

    assert exact.json()["quantity"] == "0.0006"
    assert_problem(response, QuantityInexact, quantity="2.5", unit="scoop", holds="0.0003")


async def test_refusals_for_lack_of_stock_tell_stock_units(move):
    await move("receipt", 2, unit="case")
    await move("issue", 1, occurred_at="2020-01-01T00:00:00Z")

    short = await move("issue", 3, unit="case")
    most = await move("receipt", "99999999999999", unit="case")
    early = await move("count_correction", 1, unit="case", occurred_at="2020-01-01T00:00:00Z")

    assert_problem(short, InsufficientStock, available="24", requested="36")
    assert_problem(most, BalanceTooLarge)
    assert early.status_code in {201, CountTooLow.status}


async def test_bulk_lines_have_units_of_their_own(client, caller):
    lines = [
        {"kind": "receipt", "quantity": 1, "unit": "case"},
        {"kind": "receipt", "quantity": 1, "unit": "barrel"},
        {"kind": "receipt", "quantity": 1},
    ]
    lines = [{"item": "A1", "location": "Main", **line} for line in lines]

    response = await client.post(
        "/api/inventory/movements/bulk",
        json={"mode": "each", "lines": lines},
        headers=caller.headers(),
    )

    results = response.json()["results"]
    assert [result["balance_after"] for result in results] == ["12", None, "13"]
    assert results[1]["code"] == "unknown_unit"
    assert "each, case, scoop" in results[1]["message"]


async def test_another_pack_size_changes_no_history(client, caller, move, change):
    await move("receipt", 1, unit="case")

    await change(packs=[{"unit": "case", "quantity": "10"}])
    await move("receipt", 1, item="CASE-1")
    await change(packs=[], barcodes=[])
    gone = await move("receipt", 1, unit="case")

    assert_problem(gone, UnknownUnit)
    one = {"quantity": "1", "unit": "case"}
    assert await listed(client, caller) == [("10", one), ("12", one)]


async def test_a_movement_waits_for_a_change_of_packs_and_then_knows_of_it(
    databases, other, item, move
):
    async with other.transaction():
        await other.execute("SELECT FROM inventory.items WHERE id = $1 FOR UPDATE", item["id"])
        receipt = asyncio.create_task(move("receipt", 1, item="CASE-1"))
        await until_blocked_by(databases, other)
        await other.execute(
            "UPDATE inventory.items SET packs = $2 WHERE id = $1",
            *(item["id"], '[{"unit": "case", "key": "case", "quantity": "10"}]'),
        )

    assert (await receipt).json()["quantity"] == "10"


async def test_a_change_of_packs_waits_for_a_movement(databases, other, item, change):
    async with other.transaction():
        await other.execute("SELECT FROM inventory.items WHERE id = $1 FOR KEY SHARE", item["id"])
        changed = asyncio.create_task(change(packs=[{"unit": "case", "quantity": "10"}]))
        await until_blocked_by(databases, other)

    assert (await changed).status_code == 200
