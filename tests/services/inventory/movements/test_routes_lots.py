"""Movements of items with lots: what expires first goes out first, and each lot is a stock."""

import asyncio
from datetime import timedelta

import pytest

from services.inventory.items.errors import ItemTrackingInUse
from services.inventory.ledger.errors import (
    InsufficientStock,
    LotExpired,
    LotExpiryDiffers,
    LotNeeded,
    LotNotFound,
    LotsNotTracked,
)
from shared.clock import utc_now
from shared.errors import ValidationFailed
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

PATH = "/api/inventory/movements"
CLIENTS = 30


def day(days: int) -> str:
    return (utc_now().date() + timedelta(days=days)).isoformat()


def ago(days: float) -> str:
    return (utc_now() - timedelta(days=days)).isoformat()


@pytest.fixture(autouse=True)
async def stock(make_location, make_item):
    await make_location("Main")
    await make_location("Shop")
    await make_item("A1", tracking="lot", packs=[{"unit": "case", "quantity": "6"}])


@pytest.fixture
def receive(move):
    async def post(lot, quantity=10, **more):
        answer = await move("receipt", quantity, lot=lot, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return post


@pytest.fixture
def lying(client, caller):
    """What lies where: (location, lot) to quantity, now or as of an instant."""

    async def read(**query):
        found = (await client.get("/api/inventory/lookup/A1", headers=caller.headers())).json()
        rows = found["stock"]
        if query:
            path = f"/api/inventory/{found['id']}/stock"
            answer = await client.get(path, params=query, headers=caller.headers())
            rows = answer.json()["stock"]
        return {(row["location"], row["lot"]): row["on_hand"] for row in rows}

    return read


@pytest.fixture(autouse=True)
async def verified(client, caller, stock):
    """After each test levels, ledger and journal agree."""
    yield
    answer = await client.get("/api/inventory/verify", headers=caller.headers())
    assert answer.json()["ok"], answer.text


def lots_of(answer):
    assert answer.status_code == 201, answer.text
    return [(row["lot"], row["quantity"]) for row in answer.json()["lots"]]


async def test_what_expires_first_goes_out_first_over_several_lots(move, receive, lying):
    await receive("NEVER", 5)
    await receive("LATE", 5, expires_on=day(90))
    await receive("SOON", 5, expires_on=day(9))

    issued = await move("issue", 12)

    assert lots_of(issued) == [("SOON", "5"), ("LATE", "5"), ("NEVER", "2")]
    moved = issued.json()
    assert (moved["quantity"], moved["change"], moved["balance_after"]) == ("12", "-12", "3")
    assert await lying() == {("Main", "NEVER"): "3"}


async def test_without_expiry_what_was_received_first_goes_out_first(move, receive):
    await receive("NEW", 2, occurred_at=ago(1))
    await receive("OLD", 2, occurred_at=ago(3))

    assert lots_of(await move("issue", 3)) == [("OLD", "2"), ("NEW", "1")]


async def test_a_lot_that_is_named_is_taken_from_alone(move, receive, lying):
    await receive("SOON", 5, expires_on=day(9))
    await receive("LATE", 5, expires_on=day(90))

    assert lots_of(await move("issue", 2, lot=" late ")) == [("LATE", "2")]
    too_much = await move("issue", 4, lot="LATE")

    assert_problem(too_much, InsufficientStock, available="3", on_hand="3", requested="4")
    assert await lying() == {("Main", "SOON"): "5", ("Main", "LATE"): "3"}


async def test_the_same_key_gives_the_same_answer_again(client, caller, move, receive):
    await receive("SOON", 5, expires_on=day(9))
    await receive("LATE", 5, expires_on=day(90))

    for asked in ({"kind": "issue"}, {"kind": "transfer", "to_location": "Shop"}):
        first = await move(**asked, quantity=3, key=f"again-{asked['kind']}")
        again = await move(**asked, quantity=3, key=f"again-{asked['kind']}")
        assert again.json() == first.json()
        assert lots_of(again) == lots_of(first)

    listed = (await client.get(PATH, params={"kind": "issue"}, headers=caller.headers())).json()
    assert [row["lots"] for row in listed["items"]] == [[{"lot": "SOON", "quantity": "3"}]]


async def test_a_transfer_carries_its_lots_over(move, receive, lying):
    await receive("SOON", 5, expires_on=day(9))
    await receive("LATE", 5, expires_on=day(90))

    moved = await move("transfer", 7, to_location="Shop")

    assert lots_of(moved) == [("SOON", "5"), ("LATE", "2")]
    assert moved.json()["to_location"] == "Shop"
    assert await lying() == {
        ("Main", "LATE"): "3", ("Shop", "LATE"): "2", ("Shop", "SOON"): "5",
    }  # fmt: skip


async def test_what_expired_is_not_issued_but_written_off_or_moved(move, receive, lying):
    await receive("GONE", 5, expires_on=day(-1))
    await receive("TODAY", 2, expires_on=day(0))

    assert_problem(
        await move("issue", 3),
        InsufficientStock,
        available="2", on_hand="7", requested="3", expired="5",
    )  # fmt: skip
    assert_problem(await move("issue", 1, lot="GONE"), LotExpired, expires_on=day(-1))
    assert lots_of(await move("issue", 2)) == [("TODAY", "2")]
    assert lots_of(await move("transfer", 1, lot="GONE", to_location="Shop")) == [("GONE", "1")]
    assert lots_of(await move("write_off", 1, reason_code="expired")) == [("GONE", "1")]
    out = await move("adjustment", 1, direction="out", reason="x")
    assert lots_of(out) == [("GONE", "1")]
    assert await lying() == {("Main", "GONE"): "2", ("Shop", "GONE"): "1"}


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "receipt"},
        {"kind": "return"},
        {"kind": "adjustment", "direction": "in", "reason": "x"},
        {"kind": "count_correction"},
    ],
    ids=lambda asked: asked["kind"],
)
async def test_what_comes_in_or_is_counted_names_its_lot(move, receive, asked):
    await receive("L1")

    assert_problem(await move(**asked), LotNeeded, item="A1")
    assert (await move(**asked, lot="L1")).status_code == 201


async def test_only_a_receipt_begins_a_lot(move, receive, lying):
    await receive("L1")

    refused = await move("return", 1, lot="L2")

    assert_problem(refused, LotNotFound, item="A1", lot="L2")
    assert_problem(await move("issue", 1, lot="L2"), LotNotFound)
    assert_problem(await move("issue", 1, expires_on=day(1), lot="L1"), ValidationFailed)
    assert_problem(await move("receipt", 1, expires_on=day(1)), ValidationFailed)


async def test_a_lot_has_one_expiry(move, receive):
    await receive("L1", expires_on=day(30))

    other = await move("receipt", 1, lot="l1", expires_on=day(31))

    assert_problem(other, LotExpiryDiffers, lot="L1", expires_on=day(30), requested=day(31))
    await receive("L1", 1)
    await receive("L1", 1, expires_on=day(30))


async def test_an_item_without_lots_has_none(make_item, move):
    await make_item("B1")

    assert_problem(await move("receipt", 1, item="B1", lot="L1"), LotsNotTracked, item="B1")
    assert (await move("receipt", 1, item="B1")).json()["lots"] == []


async def test_a_count_is_of_one_lot(move, receive, lying):
    await receive("L1", 10)
    await receive("L2", 10)

    counted = await move("count_correction", 7, lot="L1")

    assert lots_of(counted) == [("L1", "3")]
    assert await lying() == {("Main", "L1"): "7", ("Main", "L2"): "10"}


async def test_packs_are_counted_in_stock_units_lot_by_lot(move, receive):
    await receive("L1", 1, unit="case", expires_on=day(1))
    await receive("L2", 1, unit="case", expires_on=day(2))

    issued = await move("issue", "1.5", unit="case")

    assert lots_of(issued) == [("L1", "6"), ("L2", "3")]
    assert issued.json()["given"] == {"quantity": "1.5", "unit": "case"}


async def test_a_late_movement_is_judged_by_the_history_of_each_lot(move, receive, lying):
    await receive("FIRST", 10, occurred_at=ago(9), expires_on=day(90))
    await receive("SECOND", 10, occurred_at=ago(5), expires_on=day(9))
    await move("issue", 4, lot="FIRST", occurred_at=ago(2))

    # Then only the first lay there, and four of it were still needed.
    too_much = await move("issue", 7, occurred_at=ago(7))
    late = await move("issue", 6, occurred_at=ago(7))

    assert_problem(too_much, InsufficientStock, available="6", requested="7")
    assert too_much.json()["fits_from"] is not None
    assert lots_of(late) == [("FIRST", "6")]
    assert late.json()["backdated"]
    assert await lying(as_of=ago(6)) == {("Main", "FIRST"): "4"}
    assert await lying() == {("Main", "SECOND"): "10"}


async def test_a_reversal_gives_back_to_each_lot(client, caller, move, receive, lying):
    await receive("SOON", 5, expires_on=day(9))
    await receive("LATE", 5, expires_on=day(90))
    before = await lying()
    issued = await move("issue", 7)
    transferred = await move("transfer", 3, to_location="Shop")

    for movement in (transferred, issued):
        undone = await client.post(
            f"{PATH}/{movement.json()['id']}/reverse",
            json={"reason": "Typed wrongly."},
            headers=caller.headers(),
        )
        assert lots_of(undone) == lots_of(movement)
        assert float(undone.json()["change"]) == -float(movement.json()["change"])

    assert await lying() == before


async def test_a_bulk_call_may_receive_a_lot_and_issue_from_it(client, caller, lying):
    line = {"item": "A1", "location": "Main"}
    lines = [
        line | {"kind": "receipt", "quantity": 5, "lot": "L2", "expires_on": day(20)},
        line | {"kind": "receipt", "quantity": 5, "lot": "L1", "expires_on": day(10)},
        line | {"kind": "issue", "quantity": 7},
    ]

    answer = await client.post(
        f"{PATH}/bulk", json={"lines": lines, "mode": "atomic"}, headers=caller.headers()
    )

    assert answer.status_code == 201, answer.text
    assert await lying() == {("Main", "L2"): "3"}


async def test_an_atomic_call_that_is_refused_begins_no_lot(client, caller, move, lying):
    line = {"item": "A1", "location": "Main"}
    lines = [
        line | {"kind": "receipt", "quantity": 5, "lot": "L1", "expires_on": day(20)},
        line | {"kind": "issue", "quantity": 6},
    ]

    answer = await client.post(
        f"{PATH}/bulk", json={"lines": lines, "mode": "atomic"}, headers=caller.headers()
    )

    assert answer.status_code == 409
    assert_problem(await move("issue", 1, lot="L1"), LotNotFound)


async def test_the_tracking_of_what_was_moved_stays(client, caller, make_item, move, receive):
    item = await make_item("C1")
    path = f"/api/inventory/{item['id']}"
    changed = await client.patch(path, json={"tracking": "lot"}, headers=caller.headers())
    assert (changed.status_code, changed.json()["tracking"]) == (200, "lot")
    await receive("L1", item="C1")

    again = await client.patch(path, json={"tracking": "none"}, headers=caller.headers())
    put = await client.put(
        path, json={"code": "C1", "name": "C", "tracking": "none"}, headers=caller.headers()
    )

    assert_problem(again, ItemTrackingInUse, tracking="lot")
    assert_problem(put, ItemTrackingInUse)


async def test_many_clients_take_from_several_lots_in_order_and_never_too_much(
    client, caller, move, receive, lying
):
    for number in range(5):
        await receive(f"L{number}", 40, expires_on=day(10 + number))

    answers = await asyncio.gather(*(_take(move, 3) for _ in range(CLIENTS)))

    applied = [answer for taken in answers for answer in taken if answer.status_code == 201]
    assert {a.status_code for taken in answers for a in taken} == {201, 409}
    assert len(applied) == 66  # Of 200 units, three at a time.
    assert sum(float(answer.json()["quantity"]) for answer in applied) == 198
    assert await lying() == {("Main", "L4"): "2"}
    params = {"kind": "issue", "limit": 200}
    listed = (await client.get(PATH, params=params, headers=caller.headers())).json()["items"]
    in_order = [row["lots"][0]["lot"] for row in reversed(listed)]
    assert in_order == sorted(in_order)


async def _take(move, quantity):
    return [await move("issue", quantity) for _ in range(3)]


async def test_of_receipts_at_once_one_begins_the_lot(client, caller, move, make_location, lying):
    places = [(await make_location(f"P{n}"))["name"] for n in range(4)]
    for round_ in range(5):
        answers = await asyncio.gather(*(
            move("receipt", 1, location=place, lot=f"L{round_}", expires_on=day(n))
            for n, place in enumerate(places)
        ))  # fmt: skip

        by_status = sorted(answer.status_code for answer in answers)
        assert by_status == [201, 409, 409, 409], [answer.text for answer in answers]
        assert sum(lot == f"L{round_}" for _, lot in await lying()) == 1


async def test_transfers_both_ways_at_once_lose_nothing(move, receive, lying):
    for number in range(3):
        await receive(f"L{number}", 30, expires_on=day(number + 1))
        await receive(f"L{number}", 30, location="Shop")

    answers = await asyncio.gather(*(
        move("transfer", 7, location=start, to_location=end)
        for _ in range(12)
        for start, end in (("Main", "Shop"), ("Shop", "Main"))
    ))  # fmt: skip

    assert {answer.status_code for answer in answers} == {201}
    assert sum(float(quantity) for quantity in (await lying()).values()) == 180
