"""What no document shows is weighed too: receipts undone, returns of what was not issued."""

import asyncio

import pytest

from services.inventory.movements.errors import BulkRefused
from tests.support.services import assert_problem

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("stock")]

PATH = "/api/inventory/approvals"
MOVEMENTS = "/api/inventory/movements"


@pytest.fixture
def record(send, clerk):
    async def post(kind, quantity, who=None, **more):
        body = {"kind": kind, "item": "A1", "location": "Main", "quantity": quantity} | more
        return await send("POST", MOVEMENTS, body, who or clerk)

    return post


@pytest.fixture
def undo(send, clerk):
    async def post(movement, who=None):
        path = f"{MOVEMENTS}/{movement.json()['id']}/reverse"
        return await send("POST", path, {"reason": "Mistaken."}, who or clerk)

    return post


@pytest.fixture
def on_hand(send):
    async def read():
        found = (await send("GET", "/api/inventory/lookup/A1")).json()
        return {row["location"]: int(row["on_hand"]) for row in found["stock"]}

    return read


async def test_a_return_of_what_was_not_issued_waits_and_is_done_once_it_is_approved(
    record, approve, on_hand
):
    assert (await record("return", 100)).status_code == 201
    asked = await record("return", 1)

    assert asked.status_code == 202, asked.text
    assert asked.json()["cause"] == "day"
    assert (await on_hand())["Main"] == 1100
    assert (await approve(asked.json())).status_code == 200
    assert (await on_hand())["Main"] == 1101


async def test_what_was_issued_under_a_reference_comes_back_under_it_and_no_more(
    record, undo, send
):
    issued = await record("issue", 300, reference="SO-1", location="Annex")
    assert (await record("issue", 200, reference="SO-1")).status_code == 201

    assert (await record("return", 150, reference="SO-2")).status_code == 202
    assert (await record("return", 300, reference="SO-1")).status_code == 201
    assert (await record("return", 201, reference="SO-1")).status_code == 202
    assert (await undo(issued)).status_code == 201
    assert (await record("return", 101, reference="SO-1")).status_code == 202
    assert (await record("write_off", 100, reason_code="lost")).status_code == 201


async def test_what_goes_back_to_a_supplier_is_not_weighed_nor_is_its_reversal(record, undo):
    back = await record("return", 500, direction="out")

    assert back.status_code == 201
    assert (await undo(back)).status_code == 201


async def test_a_receipt_that_is_undone_is_weighed_like_a_write_off_whoever_received_it(
    record, undo, approve, on_hand, send
):
    small, large = [await record("receipt", quantity) for quantity in (60, 101)]
    written_off = await record("write_off", 41, reason_code="lost")

    assert written_off.status_code == 201
    assert (await undo(small)).json()["cause"] == "day"
    asked = await undo(large)

    assert asked.status_code == 202, asked.text
    assert (asked.json()["kind"], asked.json()["cause"]) == ("reversal", "value")
    assert (await on_hand())["Main"] == 1120
    given = await approve(asked.json())
    assert given.status_code == 200, given.text
    assert (await on_hand())["Main"] == 1019
    verified = (await send("GET", "/api/inventory/verify")).json()
    assert verified["ok"], verified["differences"]


async def test_a_return_that_is_undone_takes_back_what_it_counted(record, undo):
    back = await record("return", 100)

    assert (await undo(back)).status_code == 201
    assert (await record("return", 100)).status_code == 201


async def test_in_one_call_returns_wait_whole_and_beside_issues_are_named(send, clerk):
    line = {"item": "A1", "location": "Main", "kind": "return", "quantity": 60}
    lines = [line, line | {"location": "Annex"}]

    whole = await send("POST", f"{MOVEMENTS}/bulk", {"mode": "atomic", "lines": lines}, clerk)
    mixed = [line | {"kind": "issue"}, *lines]
    refused = await send("POST", f"{MOVEMENTS}/bulk", {"mode": "atomic", "lines": mixed}, clerk)

    assert whole.status_code == 202, whole.text
    assert_problem(refused, BulkRefused, refused=2)
    named = [result["line"] for result in refused.json()["results"]]
    assert named == [1, 2]


async def test_sending_at_once_from_several_places_is_no_way_round(record, on_hand):
    answers = await asyncio.gather(
        *(
            record("write_off", 30, location=("Main", "Annex")[n % 2], reason_code="lost")
            for n in range(12)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [202] * 9
    assert sum((await on_hand()).values()) == 2000 - 90
