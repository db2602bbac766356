"""Reservations of items with lots or serials: each is held by itself, and goes out as held."""

import asyncio
import random
from datetime import timedelta

import pytest

from services.inventory.ledger.errors import (
    InsufficientStock,
    LotExpired,
    LotNotFound,
    LotsNotTracked,
    SerialsDiffer,
    SerialsNeeded,
    SerialsNotThere,
    SerialsNotTracked,
)
from services.inventory.reservations.errors import (
    InsufficientStockAnywhere,
    MoreThanHeld,
    ReservationRefused,
)
from shared.clock import utc_now
from shared.errors import ValidationFailed
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

CLIENTS = 20


def day(days: int) -> str:
    return (utc_now().date() + timedelta(days=days)).isoformat()


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    """Of L1 five, of L2 five and of one that expired two lie at Main; of L2 five at Annex."""
    await make_location("Main")
    await make_location("Annex")
    await make_item("A1", tracking="lot")
    await make_item("N1", tracking="serial")
    await make_item("B1")
    for lot, expires_on, quantity, location in (
        ("L2", day(20), 5, "Main"), ("L1", day(10), 5, "Main"), ("OLD", day(-1), 2, "Main"),
        ("L2", day(20), 5, "Annex"),
    ):  # fmt: skip
        received = await move(
            "receipt", quantity, lot=lot, expires_on=expires_on, location=location
        )
        assert received.status_code == 201, received.text
    for location, serials in (("Main", ["S1", "S2", "S3"]), ("Annex", ["S4"])):
        await move("receipt", None, item="N1", location=location, serials=serials)
    await move("receipt", 5, item="B1")


@pytest.fixture(autouse=True)
async def verified(client, caller, stock):
    """After each test levels, ledger, holds and journal agree."""
    yield
    answer = await client.get("/api/inventory/verify", headers=caller.headers())
    assert answer.json()["ok"], answer.text


@pytest.fixture
def hold(post):
    async def send(*lines):
        return await post("", {"lines": [{"item": "A1", **line} for line in lines]})

    return send


@pytest.fixture
def held(hold):
    async def send(*lines):
        made = await hold(*lines)
        assert made.status_code == 201, made.text
        return made.json()

    return send


@pytest.fixture
def reserved(look_up):
    """What is reserved where: (location, lot) to quantity."""

    async def read(code="A1"):
        rows = (await look_up(code))["stock"]
        return {
            (row["location"], row["lot"]): row["reserved"] for row in rows if row["reserved"] != "0"
        }

    return read


def holds_of(made, line=0):
    return [(each["location"], each["lot"], each["held"]) for each in made["lines"][line]["holds"]]


async def test_what_expires_first_is_held_first_and_nothing_expired(held, hold, reserved):
    made = await held({"location": "Main", "quantity": "7"})
    short = await hold({"location": "Main", "quantity": "4"})

    assert holds_of(made) == [("Main", "L1", "5"), ("Main", "L2", "2")]
    assert await reserved() == {("Main", "L1"): "5", ("Main", "L2"): "2"}
    assert_problem(short, InsufficientStock)
    assert short.json()["available"] == "3"


async def test_a_lot_may_be_named(held, hold, reserved):
    made = await held({"location": "Main", "quantity": "4", "lot": "l2"})
    more = await hold({"location": "Main", "quantity": "2", "lot": "L2"})
    old = await hold({"location": "Main", "quantity": "1", "lot": "OLD"})
    unknown = await hold({"location": "Main", "quantity": "1", "lot": "L9"})
    none = await hold({"item": "B1", "location": "Main", "quantity": "1", "lot": "L1"})

    assert holds_of(made) == [("Main", "L2", "4")]
    assert_problem(more, InsufficientStock)
    assert_problem(old, LotExpired)
    assert_problem(unknown, LotNotFound)
    assert_problem(none, LotsNotTracked)
    assert await reserved() == {("Main", "L2"): "4"}


async def test_movements_leave_what_is_held_of_each_lot(held, move):
    await held({"location": "Main", "quantity": "4", "lot": "L1"})

    issued = await move("issue", 5)
    refused = await move("issue", 2, lot="L1")

    assert [(row["lot"], row["quantity"]) for row in issued.json()["lots"]] == [
        ("L1", "1"), ("L2", "4")
    ]  # fmt: skip
    assert_problem(refused, InsufficientStock)


async def test_a_commit_issues_exactly_what_was_held(held, post, look_up, client, caller):
    made = await held({"location": "Main", "quantity": "7"})
    part = await post(f"/{made['id']}/commit", {"lines": [{"line": 0, "quantity": "6"}]})
    rest = await post(f"/{made['id']}/commit")

    assert part.status_code == 200, part.text
    for answer, lots in ((part, [("L1", "5"), ("L2", "1")]), (rest, [("L2", "1")])):
        [movement] = answer.json()["movements"]
        listed = await client.get("/api/inventory/movements", headers=caller.headers())
        rows = [row for row in listed.json()["items"] if row["id"] == movement]
        assert sorted((row["lots"][0]["lot"], row["quantity"]) for row in rows) == lots
    assert (await look_up())["on_hand"] == "10"


async def test_without_a_location_it_is_held_where_it_is(held, hold, reserved):
    made = await held({"quantity": "12"}, {"location": "Annex", "quantity": "2"})
    too_many = await hold({"quantity": "2"})
    named = await hold({"quantity": "1", "lot": "L1"})

    assert holds_of(made) == [
        ("Main", "L1", "5"), ("Main", "L2", "5"), ("Annex", "L2", "2")
    ]  # fmt: skip
    assert_problem(too_many, InsufficientStockAnywhere, available="1", requested="2")
    assert_problem(named, InsufficientStockAnywhere, available="0", requested="1")
    assert await reserved() == {("Main", "L1"): "5", ("Main", "L2"): "5", ("Annex", "L2"): "4"}


async def test_a_line_that_names_its_lot_has_it_before_one_that_does_not(held):
    made = await held(
        {"location": "Main", "quantity": "5"}, {"location": "Main", "quantity": "5", "lot": "L1"}
    )

    assert holds_of(made, 0) == [("Main", "L2", "5")]
    assert holds_of(made, 1) == [("Main", "L1", "5")]


async def test_all_lines_are_held_or_none(hold, reserved):
    answer = await hold(
        {"location": "Main", "quantity": "3"}, {"item": "N1", "serials": ["S1", "S9"]}
    )

    assert_problem(answer, ReservationRefused)
    assert await reserved() == {}


async def test_what_is_released_or_expires_is_free_of_its_lot(
    held, post, let_expire, reserved, move
):
    released = await held({"location": "Main", "quantity": "6"})
    await post(f"/{released['id']}/release", {"lines": [{"line": 0, "quantity": "1"}]})
    after_one = await reserved()
    await post(f"/{released['id']}/release")
    expired = await held({"location": "Main", "quantity": "6"})
    await let_expire(expired["id"])
    issued = await move("issue", 10)

    assert after_one == {("Main", "L1"): "4", ("Main", "L2"): "1"}
    assert issued.status_code == 201, issued.text
    assert await reserved() == {}


async def test_serials_are_held_by_name_or_the_first_that_came(held, hold, move, reserved):
    named = await held({"item": "N1", "location": "Main", "serials": ["s2"]})
    first = await held({"item": "N1", "location": "Main", "quantity": "1"})
    taken = await move("issue", None, item="N1", serials=["S1", "S2", "S3"])
    again = await hold({"item": "N1", "location": "Main", "serials": ["S2", "S4", "S9"]})
    short = await hold({"item": "N1", "location": "Main", "quantity": "2"})

    assert named["lines"][0]["holds"][0]["serials"] == ["S2"]
    [free] = first["lines"][0]["holds"][0]["serials"]
    assert free in {"S1", "S3"}
    assert_problem(taken, SerialsNotThere)
    assert {row["serial"]: row["reason"] for row in taken.json()["serials"]} == {
        "S2": "reserved", free: "reserved"
    }  # fmt: skip
    assert {row["serial"]: row["reason"] for row in again.json()["serials"]} == {
        "S2": "reserved", "S4": "elsewhere", "S9": "unknown"
    }  # fmt: skip
    assert_problem(short, InsufficientStock)
    assert await reserved("N1") == {("Main", None): "2"}


async def test_serials_are_held_wherever_they_are(held, hold, post):
    made = await held({"item": "N1", "serials": ["S1", "S4"]})
    rest = await held({"item": "N1", "quantity": "2"})
    none = await hold({"item": "N1", "serials": ["S1"]})
    committed = await post(f"/{made['id']}/commit", {"lines": [{"line": 0, "serials": ["S4"]}]})
    twice = await post(f"/{made['id']}/commit", {"lines": [{"line": 0, "serials": ["S4"]}]})

    assert sorted((h["location"], h["serials"]) for h in made["lines"][0]["holds"]) == [
        ("Annex", ["S4"]), ("Main", ["S1"])
    ]  # fmt: skip
    assert [h["location"] for h in rest["lines"][0]["holds"]] == ["Main"]
    assert_problem(none, InsufficientStockAnywhere)
    assert committed.status_code == 200, committed.text
    assert_problem(twice, MoreThanHeld)


async def test_what_is_asked_of_serials_must_fit(hold):
    half = await hold({"item": "N1", "location": "Main", "quantity": "0.5"})
    half_anywhere = await hold({"item": "N1", "quantity": "0.5"})
    differs = await hold({"item": "N1", "location": "Main", "quantity": "2", "serials": ["S1"]})
    untracked = await hold({"item": "B1", "serials": ["S1"]})
    lot = await hold({"item": "N1", "quantity": "1", "lot": "L1"})
    twice = await hold({"item": "N1", "serials": ["S1", "s1"]})
    nothing = await hold({"item": "N1"})

    assert_problem(half, SerialsNeeded)
    assert_problem(half_anywhere, SerialsNeeded)
    assert_problem(differs, SerialsDiffer)
    assert_problem(untracked, SerialsNotTracked)
    assert_problem(lot, LotsNotTracked)
    assert_problem(twice, ValidationFailed)
    assert_problem(nothing, ValidationFailed)


async def test_a_lot_that_expired_while_it_was_held_is_not_issued(
    held, hold, post, client, caller, look_up
):
    made = await held({"location": "Annex", "quantity": "3"})
    item_id = (await look_up())["id"]
    path = f"/api/inventory/{item_id}/lots"
    lots = (await client.get(path, headers=caller.headers())).json()["items"]
    lot_id = next(lot["id"] for lot in lots if lot["lot"] == "L2")
    body = {"expires_on": day(-1)}
    await client.patch(f"{path}/{lot_id}", json=body, headers=caller.headers())

    refused = await post(f"/{made['id']}/commit")
    released = await post(f"/{made['id']}/release")

    assert_problem(refused, LotExpired)
    assert released.status_code == 200, released.text


async def test_no_lot_and_no_serial_is_promised_or_moved_twice(
    client, caller, post, move, look_up, let_expire
):
    """Holds, commits, releases, expiry, issues and transfers of the same lots and serials."""
    chance = random.Random(11)  # noqa: S311 - the same order each time.
    serials = ["S1", "S2", "S3", "S4"]

    async def act(number):
        item = "A1" if number % 2 else "N1"
        which = {"serials": [chance.choice(serials)]} if item == "N1" else {"quantity": "2"}
        if number % 5 == 4 and item == "N1":
            there, goal = chance.sample(["Main", "Annex"], 2)
            await move(
                "transfer", None, item=item, location=there, to_location=goal,
                serials=which["serials"],
            )  # fmt: skip
            return
        if number % 5 == 3:
            await move("issue", which.get("quantity"), item=item, **(
                {"serials": which["serials"]} if item == "N1" else {}
            ))  # fmt: skip
            return
        place = chance.choice([{}, {"location": "Main"}])
        anything = {"quantity": "1"} if number % 7 == 0 else which
        made = await post("", {"lines": [{"item": item, **place, **anything}]})
        assert made.status_code in {201, 409}, made.text
        if made.status_code == 201:
            end = chance.choice(["commit", "release", "expire", "keep"])
            if end == "expire":
                await let_expire(made.json()["id"])
            elif end != "keep":
                done = await post(f"/{made.json()['id']}/{end}")
                assert done.status_code == 200, done.text

    await asyncio.gather(*(act(number) for number in range(3 * CLIENTS)))

    for code in ("A1", "N1"):
        assert float((await look_up(code))["available"]) >= 0
