"""Reversals: the opposite of a movement, once, judged like any movement."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.inventory.freezes.errors import Frozen
from services.inventory.items.errors import ItemRetired
from services.inventory.ledger.errors import (
    AlreadyReversed,
    InsufficientStock,
    InsufficientStockThen,
)
from services.inventory.movements.errors import (
    MovementNotFound,
    ReversalIsFinal,
)
from services.inventory.periods.errors import InClosedPeriod
from shared.clock import utc_now
from shared.errors import MissingScope, ValidationFailed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

PATH = "/api/inventory/movements"
WHY = "Typed wrongly."


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    await make_location("Main")
    await make_location("Shop")
    await make_item("A1", unit_cost="2.50")
    await move("receipt", 20, occurred_at=(utc_now() - timedelta(days=9)).isoformat())


@pytest.fixture
def reverse(client, caller):
    async def post(movement, who=None, key=None, **more):
        headers = (who or caller).headers(**({"Idempotency-Key": key} if key else {}))
        named = movement if isinstance(movement, str) else movement.json()["id"]
        body = {"reason": WHY, **more}
        return await client.post(f"{PATH}/{named}/reverse", json=body, headers=headers)

    return post


@pytest.fixture
def levels(client, caller):
    async def read():
        answer = await client.get("/api/inventory/lookup/A1", headers=caller.headers())
        return {row["location"]: row["on_hand"] for row in answer.json()["stock"]}

    return read


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "receipt", "quantity": 3},
        {"kind": "receipt", "quantity": 3, "unit_cost": "9"},
        {"kind": "issue", "quantity": 3},
        {"kind": "transfer", "quantity": 3, "to_location": "Shop"},
        {"kind": "return", "quantity": 3},
        {"kind": "return", "quantity": 3, "direction": "out"},
        {"kind": "write_off", "quantity": 3, "reason_code": "lost"},
        {"kind": "adjustment", "quantity": 3, "direction": "in", "reason": "x"},
        {"kind": "count_correction", "quantity": 3},
        {"kind": "count_correction", "quantity": 20},
    ],
    ids=str,
)
@pytest.mark.parametrize("dated", ["now", "original"])
async def test_a_reversal_leaves_stock_as_if_nothing_had_been(
    client, caller, move, reverse, levels, asked, dated
):
    before = await levels()
    moved = (await move(**asked, reference="D-1")).json()

    undone = await reverse(moved["id"], dated=dated)

    assert undone.status_code == 201, undone.text
    assert await levels() == before
    reversal = undone.json()
    assert (reversal["kind"], reversal["reverses"]) == ("reversal", moved["id"])
    assert float(reversal["change"]) == -float(moved["change"])
    assert (reversal["reason"], reversal["reference"]) == (WHY, "D-1")
    assert (reversal["to_location"], reversal["item"]) == (moved["to_location"], "A1")
    assert reversal["unit_cost"] == moved["unit_cost"]
    assert (reversal["occurred_at"] == moved["occurred_at"]) is (dated == "original")
    listed = (await client.get(PATH, headers=caller.headers())).json()["items"]
    ends = {
        (row["id"], row["reverses"], row["reversed_by"])
        for row in listed
        if row["kind"] != "receipt" or row["reference"]
    }
    assert ends == {
        (moved["id"], None, reversal["id"]), (reversal["id"], moved["id"], None)
    }  # fmt: skip
    verified = await client.get("/api/inventory/verify", headers=caller.headers())
    assert verified.json()["ok"], verified.text


async def test_a_movement_is_reversed_once_and_a_reversal_never(move, reverse, levels):
    moved = await move("issue", 3)
    undone = await reverse(moved)

    assert_problem(await reverse(moved), AlreadyReversed, reversed_by=undone.json()["id"])
    assert_problem(await reverse(undone), ReversalIsFinal)
    assert await levels() == {"Main": "20"}


async def test_of_many_reversals_at_once_one_is_recorded(client, caller, move, reverse, levels):
    for _ in range(5):
        moved = await move("issue", 3)

        answers = await asyncio.gather(*(reverse(moved) for _ in range(8)))

        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
        [reversal] = [answer.json()["id"] for answer in answers if answer.status_code == 201]
        for answer in answers:
            if answer.status_code == 409:
                assert_problem(answer, AlreadyReversed, reversed_by=reversal)
        assert await levels() == {"Main": "20"}
    verified = await client.get("/api/inventory/verify", headers=caller.headers())
    assert verified.json()["ok"], verified.text


async def test_the_same_key_gives_the_same_reversal(move, reverse, levels):
    moved = await move("issue", 3)

    first = await reverse(moved, key="once")
    again = await reverse(moved, key="once")

    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"


async def test_what_is_not_there_any_more_cannot_be_taken_back_and_nothing_is_left_of_the_try(
    move, reverse
):
    received = await move("receipt", 5)
    await move("issue", 22)

    refused = await reverse(received)
    assert_problem(refused, InsufficientStock, available="3", requested="5")
    await move("receipt", 2)
    assert (await reverse(received)).status_code == 201


async def test_at_the_time_of_the_original_what_was_taken_since_counts(move, reverse):
    early = (utc_now() - timedelta(days=8)).isoformat()
    received = await move("receipt", 5, occurred_at=early)
    await move("issue", 25, occurred_at=(utc_now() - timedelta(days=7)).isoformat())
    await move("receipt", 5)

    assert_problem(await reverse(received, dated="original"), InsufficientStockThen)
    assert (await reverse(received)).status_code == 201


async def test_two_reversals_of_what_is_there_once_share_it(move, reverse, levels):
    for _ in range(5):
        received = [await move("receipt", 5) for _ in range(2)]
        await move("issue", 25)

        answers = await asyncio.gather(*(reverse(each) for each in received))

        assert sorted(answer.status_code for answer in answers) == [201, 409]
        assert await levels() == {}
        await move("receipt", 20)


async def test_freezes_periods_and_retirement_hold_for_reversals(client, caller, move, reverse):
    moved = await move("issue", 3, occurred_at=(utc_now() - timedelta(days=5)).isoformat())
    item = moved.json()["item_id"]

    async def send(method, path, body=None):
        answer = await client.request(method, path, json=body, headers=caller.headers())
        assert answer.is_success, answer.text
        return answer

    freeze = {"scope": "item", "item": "A1", "reason": "x"}
    frozen = (await send("POST", "/api/inventory/freezes", freeze)).json()
    assert_problem(await reverse(moved), Frozen)
    await send("DELETE", f"/api/inventory/freezes/{frozen['id']}")
    last_day = (utc_now() - timedelta(days=4)).date().isoformat()
    await send("POST", "/api/inventory/periods", {"last_day": last_day})
    assert_problem(await reverse(moved, dated="original"), InClosedPeriod)
    await move("issue", 17)
    await send("DELETE", f"/api/inventory/{item}")
    assert_problem(await reverse(moved), ItemRetired)
    await send("PATCH", f"/api/inventory/{item}", {"active": True})
    assert (await reverse(moved)).status_code == 201


async def test_who_may_not_reverses_nothing(client, caller, move, reverse):
    moved = await move("transfer", 3, to_location="Shop")
    issued = await move("issue", 1)
    places = (await client.get("/api/locations", headers=caller.headers())).json()["items"]
    main = next(place["id"] for place in places if place["name"] == "Main")
    viewer = Caller(caller.tenant_id, scopes={"inventory:read"})
    limited = Caller(caller.tenant_id, locations=[main])

    assert_problem(await reverse(moved, viewer), MissingScope)
    assert_problem(await reverse(moved, Caller()), MovementNotFound)
    assert_problem(await reverse(moved, limited), MovementNotFound)
    for unknown in (uuid4(), "f5650147-06b2-7c6a-80f9-176eb05a0639", UUID(int=2**128 - 1)):
        assert_problem(await reverse(str(unknown)), MovementNotFound)
    assert (await reverse(issued, limited)).status_code == 201


async def test_a_reversal_says_why_and_is_recorded_at_its_own_address_alone(move, reverse):
    moved = await move("issue", 3)

    assert_problem(await reverse(moved, reason=""), ValidationFailed)
    assert_problem(await reverse(moved, dated="yesterday"), ValidationFailed)
    told = await move("reversal", 3)
    assert_problem(told, ValidationFailed)
    assert told.json()["errors"][0]["code"] == "kind_of_reversal"
