"""Movements of items with serial numbers: each unit is one, and in one place at every instant."""

import asyncio
from datetime import timedelta

import pytest

from services.inventory.items.errors import ItemTrackingInUse
from services.inventory.ledger.errors import (
    LotsNotTracked,
    SerialsDiffer,
    SerialsInStock,
    SerialsNeeded,
    SerialsNotThere,
    SerialsNotTracked,
)
from shared.clock import utc_now
from shared.errors import ValidationFailed
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

PATH = "/api/inventory/movements"
CLIENTS = 20


def ago(days: float) -> str:
    return (utc_now() - timedelta(days=days)).isoformat()


@pytest.fixture(autouse=True)
async def stock(make_location, make_item):
    await make_location("Main")
    await make_location("Shop")
    await make_item("A1", tracking="serial", packs=[{"unit": "box", "quantity": "3"}])


@pytest.fixture
def send(client, caller):
    async def post(kind="receipt", *serials, location="Main", **more):
        body = {"kind": kind, "item": "A1", "location": location, "serials": list(serials), **more}
        return await client.post(PATH, json=body, headers=caller.headers())

    return post


@pytest.fixture
def done(send):
    async def post(*args, **more):
        answer = await send(*args, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return post


@pytest.fixture
def lying(client, caller):
    """What lies where: location to quantity, now or as of an instant."""

    async def read(**query):
        found = (await client.get("/api/inventory/lookup/A1", headers=caller.headers())).json()
        rows = found["stock"]
        if query:
            path = f"/api/inventory/{found['id']}/stock"
            answer = await client.get(path, params=query, headers=caller.headers())
            rows = answer.json()["stock"]
        assert {row["lot"] for row in rows} <= {None}
        return {row["location"]: row["on_hand"] for row in rows}

    return read


@pytest.fixture(autouse=True)
async def verified(client, caller, stock):
    """After each test levels, ledger and journal agree."""
    yield
    answer = await client.get("/api/inventory/verify", headers=caller.headers())
    assert answer.json()["ok"], answer.text


def faults_of(answer, problem):
    assert_problem(answer, problem)
    return [(one["serial"], one["reason"], one["location"]) for one in answer.json()["serials"]]


async def test_serials_come_and_go_by_name(done, lying):
    received = await done("receipt", "S1", "S2", "S3", unit_cost="2")
    issued = await done("issue", "s2")
    moved = await done("transfer", "S3", to_location="Shop")

    assert (received["quantity"], received["serials"]) == ("3", ["S1", "S2", "S3"])
    assert (issued["quantity"], issued["serials"], issued["lots"]) == ("1", ["S2"], [])
    assert (moved["change"], moved["serials"]) == ("-1", ["S3"])
    assert await lying() == {"Main": "1", "Shop": "1"}


async def test_a_serial_comes_back_after_it_left(done, lying):
    await done("receipt", "S1")
    await done("issue", "S1")
    await done("return", "S1", location="Shop")
    await done("return", "S1", location="Shop", direction="out")
    await done("receipt", "S1")

    assert await lying() == {"Main": "1"}


async def test_a_serial_in_stock_does_not_come_again(send, done):
    await done("receipt", "S1", "S2")
    await done("transfer", "S2", to_location="Shop")

    again = await send("receipt", "S9", "S1", "S2")
    returned = await send("return", "S1", "S7", location="Shop")

    assert faults_of(again, SerialsInStock) == [
        ("S1", "in_stock", "Main"),
        ("S2", "in_stock", "Shop"),
    ]
    assert again.json()["failing"] == 2
    assert faults_of(returned, SerialsInStock) == [
        ("S1", "in_stock", "Main"),
        ("S7", "unknown", None),
    ]
    assert (await send("issue", "S9")).status_code == 409


async def test_all_serials_that_cannot_go_are_told_at_once(send, done, lying):
    await done("receipt", "S1", "S2", "S3")
    await done("issue", "S2")
    await done("transfer", "S3", to_location="Shop")

    answer = await send("issue", "S1", "S2", "S3", "S4")

    assert faults_of(answer, SerialsNotThere) == [
        ("S2", "gone", None),
        ("S3", "elsewhere", "Shop"),
        ("S4", "unknown", None),
    ]
    assert await lying() == {"Main": "1", "Shop": "1"}


async def test_serials_are_named_and_as_many_as_the_quantity(send, move, make_item):
    await make_item("B1")
    nameless = await move("receipt", 2)
    with_lot = await move("receipt", 1, lot="L1")
    none = await send("receipt")
    twice = await send("receipt", "S1", "s1")
    more = await send("receipt", "S1", "S2", quantity="3")
    half = await send("receipt", "S1", quantity="0.5")
    boxes = await send("receipt", "S1", "S2", "S3", quantity="1", unit="box")
    boxes_too_many = await send("issue", "S1", "S2", "S3", quantity="2", unit="box")
    untracked = await move("receipt", 1, item="B1", serials=["S1"])
    neither = await move("receipt", None)

    assert_problem(nameless, SerialsNeeded)
    assert_problem(with_lot, LotsNotTracked)
    assert_problem(none, ValidationFailed)
    assert_problem(twice, ValidationFailed)
    assert twice.json()["errors"][0]["code"] == "serial_twice"
    assert_problem(more, SerialsDiffer, requested="3", named=2)
    assert_problem(half, SerialsDiffer, requested="0.5", named=1)
    assert boxes.status_code == 201, boxes.text
    assert boxes.json()["given"] == {"quantity": "1", "unit": "box"}
    assert_problem(boxes_too_many, SerialsDiffer, requested="6", named=3)
    assert_problem(untracked, SerialsNotTracked)
    assert neither.json()["errors"][0]["code"] == "missing"


async def test_one_serial_of_two_items_is_two(done, make_item, move):
    await make_item("B1", tracking="serial")
    await done("receipt", "S1")

    other = await move("receipt", 1, item="B1", serials=["S1"])

    assert other.status_code == 201, other.text


async def test_a_count_takes_out_what_it_does_not_find_and_takes_in_what_is_new(send, done, lying):
    await done("receipt", "S1", "S2")
    await done("transfer", "S2", to_location="Shop")
    await done("receipt", "S3", "S4")

    elsewhere = await send("count_correction", "S1", "S2")
    counted = await done("count_correction", "S1", "S5", quantity="2")
    same = await done("count_correction", "S1", "S5")
    nothing = await done("count_correction")
    still_nothing = await done("count_correction")

    assert faults_of(elsewhere, SerialsInStock) == [("S2", "in_stock", "Shop")]
    assert (counted["change"], sorted(counted["serials"])) == ("-1", ["S3", "S4", "S5"])
    assert (same["change"], same["serials"]) == ("0", [])
    assert (nothing["change"], sorted(nothing["serials"])) == ("-2", ["S1", "S5"])
    assert (still_nothing["change"], still_nothing["serials"]) == ("0", [])
    assert await lying() == {"Shop": "1"}


async def test_a_late_count_is_of_what_lay_there_then(send, done, lying):
    await done("receipt", "S1", "S2", "S3", occurred_at=ago(10))
    await done("issue", "S1", occurred_at=ago(5))

    contradicted = await send("count_correction", "S2", occurred_at=ago(7))
    counted = await done("count_correction", "S1", "S2", occurred_at=ago(7))
    after = await done("count_correction", "S2", occurred_at=ago(4))

    assert faults_of(contradicted, SerialsNotThere) == [("S1", "gone", None)]
    assert (counted["change"], counted["serials"]) == ("-1", ["S3"])
    assert (after["change"], after["serials"]) == ("0", [])
    assert await lying(as_of=ago(6)) == {"Main": "2"}


async def test_no_past_instant_shows_a_serial_in_two_places(send, done, lying):
    await done("receipt", "S1", occurred_at=ago(10))
    await done("issue", "S1", occurred_at=ago(5))

    within = await send("receipt", "S1", location="Shop", occurred_at=ago(7))
    before = await send("receipt", "S1", location="Shop", occurred_at=ago(20))
    after = await send("receipt", "S1", location="Shop", occurred_at=ago(3))
    too_late = await send("issue", "S1", location="Shop", occurred_at=ago(4))

    assert faults_of(within, SerialsInStock) == [("S1", "was_in_stock", None)]
    assert faults_of(before, SerialsInStock) == [("S1", "was_in_stock", None)]
    assert after.status_code == 201, after.text
    assert faults_of(too_late, SerialsNotThere) == [("S1", "came_later", "Shop")]
    assert await lying(as_of=ago(6)) == {"Main": "1"}
    assert await lying(as_of=ago(4)) == {}
    assert await lying() == {"Shop": "1"}


async def test_a_reversal_brings_the_same_serials_back(client, caller, done, lying):
    async def reverse(movement, **more):
        return await client.post(
            f"{PATH}/{movement['id']}/reverse", json={"reason": "x", **more},
            headers=caller.headers(),
        )  # fmt: skip

    received = await done("receipt", "S1", "S2")
    issued = await done("issue", "S1", "S2")
    gone = await reverse(received)
    back = await reverse(issued)
    moved = await done("transfer", "S1", to_location="Shop")
    elsewhere = await reverse(received)
    returned = await reverse(moved)
    undone = await reverse(received)

    assert faults_of(gone, SerialsNotThere) == [("S1", "gone", None), ("S2", "gone", None)]
    assert (back.json()["change"], back.json()["serials"]) == ("2", ["S1", "S2"])
    assert faults_of(elsewhere, SerialsNotThere) == [("S1", "elsewhere", "Shop")]
    assert returned.status_code == 201, returned.text
    assert undone.status_code == 201, undone.text
    assert await lying() == {}


async def test_lines_of_a_bulk_call_follow_one_another(client, caller, lying):
    def line(kind, *serials, **more):
        return {"kind": kind, "item": "A1", "location": "Main", "serials": serials, **more}

    lines = [
        line("receipt", "S1", "S2"),
        line("issue", "S1"),
        line("receipt", "S2"),
        line("transfer", "S2", to_location="Shop"),
        line("receipt", "S1", location="Shop"),
        line("issue", "S3"),
    ]
    answer = await client.post(
        f"{PATH}/bulk", json={"mode": "each", "lines": lines}, headers=caller.headers()
    )

    assert [one["code"] for one in answer.json()["results"]] == [
        None, None, "serials_in_stock", None, None, "serials_not_there"
    ]  # fmt: skip
    assert await lying() == {"Shop": "2"}


async def test_lines_name_ten_thousand_serials_together_at_most(client, caller):
    lines = [
        {
            "kind": "receipt", "item": "A1", "location": "Main",
            "serials": [f"{start}-{n}" for n in range(6000)],
        }
        for start in "AB"
    ]  # fmt: skip

    answer = await client.post(f"{PATH}/bulk", json={"lines": lines}, headers=caller.headers())

    assert_problem(answer, ValidationFailed)
    assert answer.json()["errors"][0]["code"] == "too_many_serials"


async def test_the_same_key_gives_the_same_movement(client, caller):
    body = {"kind": "receipt", "item": "A1", "location": "Main", "serials": ["S1", "S2"]}
    headers = caller.headers(**{"Idempotency-Key": "k1"})

    first, second = [await client.post(PATH, json=body, headers=headers) for _ in range(2)]

    assert first.json() == second.json()


async def test_tracking_by_serials_changes_only_while_nothing_moved(
    client, caller, make_item, move
):
    item = await make_item("B1", tracking="serial")
    path = f"/api/inventory/{item['id']}"

    free = await client.patch(path, json={"tracking": "none"}, headers=caller.headers())
    await move("receipt", 1, item="B1")
    bound = await client.patch(path, json={"tracking": "serial"}, headers=caller.headers())

    assert free.status_code == 200, free.text
    assert_problem(bound, ItemTrackingInUse)


async def test_of_two_receipts_of_a_serial_at_once_one_wins(send, lying):
    answers = await asyncio.gather(
        *(send("receipt", "S1", location="Shop" if n % 2 else "Main") for n in range(CLIENTS))
    )

    assert sorted(answer.status_code for answer in answers) == [201, *[409] * (CLIENTS - 1)]
    assert sum(int(on_hand) for on_hand in (await lying()).values()) == 1


async def test_bulk_calls_at_once_move_each_serial_once(client, caller, send, lying):
    serials = [f"S{n}" for n in range(40)]

    def lines(kind, start, **more):
        turned = serials[start:] + serials[:start]
        return [
            {"kind": kind, "item": "A1", "serials": turned[n : n + 4], **more}
            for n in range(0, 40, 4)
        ]

    async def post(kind, start, **more):
        body = {"mode": "each", "lines": lines(kind, start, **more)}
        answer = await client.post(f"{PATH}/bulk", json=body, headers=caller.headers())
        assert answer.status_code == 201, answer.text
        return answer.json()["applied"]

    received = await asyncio.gather(
        *(
            post("receipt", 4 * (n % 10), location="Shop" if n % 2 else "Main")
            for n in range(CLIENTS)
        )
    )
    there = await lying()
    issued = await asyncio.gather(
        *(post("issue", 4 * (n % 10), location="Shop" if n % 2 else "Main") for n in range(CLIENTS))
    )

    assert sum(received) == 10
    assert sum(int(on_hand) for on_hand in there.values()) == 40
    assert sum(issued) == 10
    assert await lying() == {}
