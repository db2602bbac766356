"""Counts of items with serial numbers: a line for each that is, or was found."""

import pytest

from services.inventory.counts.errors import CountLinesRefused, CountRefused
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    await make_location("Main")
    await make_location("Shop")
    await make_item("S1", tracking="serial")
    await make_item("A1")
    for place, serials in (("Main", ["X1", "X2", "X3"]), ("Shop", ["Y1"])):
        made = await move("receipt", len(serials), "S1", place, serials=serials)
        assert made.status_code == 201, made.text


def line(serial, quantity="1", location="Main", **more):
    return {"item": "S1", "location": location, "serial": serial, "quantity": quantity} | more


async def lying(client, caller):
    found = await client.get("/api/inventory/lookup/S1", headers=caller.headers())
    return {each["location"]: each["on_hand"] for each in found.json()["stock"]}


async def test_serials_are_counted_one_by_one(client, caller, open_count, enter, send, lines_of):
    """X1 is there, X2 is not, X3 nobody looked for; Y1 lies at Main, and not at Shop."""
    count = await open_count(locations=["Main", "Shop"])
    lines = [line("X1"), line("x2", "0"), line("Y1"), line("Y1", "0", "Shop")]
    entered = await enter(count, lines=lines)
    seen = [(each["serial"], each["variance"]) for each in await lines_of(count)]
    posted = await send("POST", f"/{count['id']}/post", {"uncounted": "keep"})
    after = {(each["serial"], each["location"]): each["result"] for each in await lines_of(count)}
    verified = await client.get("/api/inventory/verify", headers=caller.headers())

    assert entered.json() == {"entered": 4, "unchanged": 0, "found": 1, "version": 2}
    assert seen == [("X1", "0"), ("X2", "-1"), ("X3", None), ("Y1", "-1"), ("Y1", "1")]
    assert posted.status_code == 200, posted.text
    assert posted.json()["differing"] == 3
    assert after == {
        ("X1", "Main"): "posted", ("X2", "Main"): "posted", ("X3", "Main"): "kept",
        ("Y1", "Shop"): "posted", ("Y1", "Main"): "posted",
    }  # fmt: skip
    assert await lying(client, caller) == {"Main": "3"}
    assert verified.json()["ok"], verified.text


async def test_what_cannot_be_of_a_serial_is_refused_at_once(open_count, enter):
    count = await open_count()
    answer = await enter(
        count,
        lines=[
            line("X1", "2"), line("Z9"), line("X1", add=True), line("X1") | {"item": "A1"},
            {"item": "S1", "location": "Main", "quantity": "3"},
        ],
    )  # fmt: skip

    assert_problem(answer, CountLinesRefused, refused=5)
    assert [each["code"] for each in answer.json()["results"]] == [
        "validation_failed", "serial_not_found", "validation_failed", "serials_not_tracked",
        "serials_needed",
    ]  # fmt: skip


async def test_a_serial_that_lies_elsewhere_is_told(open_count, enter, send, client, caller):
    count = await open_count()
    await enter(count, lines=[line("Y1")])
    refused = await send("POST", f"/{count['id']}/post", {"uncounted": "keep"})

    assert_problem(refused, CountRefused, refused=1)
    assert [each["code"] for each in refused.json()["results"]] == ["serials_in_stock"]
    assert await lying(client, caller) == {"Main": "3", "Shop": "1"}


async def test_serials_that_nobody_found_are_gone_if_so_said(
    client, caller, open_count, enter, send
):
    count = await open_count()
    await enter(count, lines=[line("X1")])
    posted = await send("POST", f"/{count['id']}/post", {"uncounted": "zero"})

    assert posted.status_code == 200, posted.text
    assert await lying(client, caller) == {"Main": "1", "Shop": "1"}
