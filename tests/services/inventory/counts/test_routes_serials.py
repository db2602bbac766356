"""Counts of items with serial numbers: a line for each that is, or was found."""

import pytest

from services.inventory.counts.errors import CountLinesRefused, CountRefused
from tests.support.services import Caller, assert_problem

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
            line("X1", "2"), line("X1", add=True), line("X1") | {"item": "A1"},
            {"item": "S1", "location": "Main", "quantity": "3"},
        ],
    )  # fmt: skip

    assert_problem(answer, CountLinesRefused, refused=4)
    assert [each["code"] for each in answer.json()["results"]] == [
        "validation_failed", "validation_failed", "serials_not_tracked",
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


async def test_a_serial_that_was_never_seen_begins_where_it_was_found(
    client, caller, open_count, enter, send, lines_of
):
    """Z9 is found by two people, in two spellings, and what was a slip is taken back."""
    colleague = Caller(caller.tenant_id)
    count = await open_count(blind=True)
    first = await enter(count, lines=[line("Z9"), line("Z8"), line("X1")])
    again = await enter(count, lines=[line("z9"), line("Z8", "0")], by=colleague)
    back = await enter(count, lines=[line("Z8", None)])
    seen = [(each["serial"], each["counted"], each["variance"], each["found"])
            for each in await lines_of(count)]  # fmt: skip
    posted = await send("POST", f"/{count['id']}/post", {"uncounted": "keep"})
    after = {each["serial"]: each["result"] for each in await lines_of(count)}
    path = "/api/inventory/movements?kind=count_correction"
    moved = (await client.get(path, headers=caller.headers())).json()["items"]
    verified = await client.get("/api/inventory/verify", headers=caller.headers())

    assert [first.json()["found"], again.json()["found"], back.json()["found"]] == [2, 0, 0]
    assert seen == [
        ("X1", "1", "0", False), ("X2", None, None, False), ("X3", None, None, False),
        ("Z9", "1", "1", True), ("Z8", "0", "0", True),
    ]  # fmt: skip
    assert posted.status_code == 200, posted.text
    assert after["Z9"] == "posted"
    assert [(each["serials"], each["change"]) for each in moved] == [(["Z9"], "1")]
    assert await lying(client, caller) == {"Main": "4", "Shop": "1"}
    assert verified.json()["ok"], verified.text


async def test_one_that_came_meanwhile_is_told_and_left_out(open_count, enter, send, move):
    count = await open_count()
    await enter(count, lines=[line("Z9")])
    assert (await move("receipt", 1, "S1", serials=["Z9"])).status_code == 201

    refused = await send("POST", f"/{count['id']}/post", {"uncounted": "keep"})
    left = {"uncounted": "keep", "leave_out": [each["line"] for each in refused.json()["results"]]}
    posted = await send("POST", f"/{count['id']}/post", left)

    assert_problem(refused, CountRefused, refused=1)
    assert [(each["serial"], each["lot"], each["code"]) for each in refused.json()["results"]] == [
        ("Z9", None, "serials_in_stock")
    ]
    assert posted.status_code == 200, posted.text


async def test_a_count_that_is_given_up_begins_no_serial(client, caller, open_count, enter, send):
    count = await open_count()
    await enter(count, lines=[line("Z9")])
    await send("POST", f"/{count['id']}/cancel", {})

    found = await client.get("/api/inventory/serials/Z9", headers=caller.headers())
    assert found.status_code == 404


async def test_one_that_is_worth_more_than_one_may_change_alone_waits(
    client, caller, open_count, enter, send, make_item, move
):
    await make_item("S2", tracking="serial", unit_cost="2000")
    await move("receipt", 1, "S2", serials=["B1"])
    count = await open_count()
    await enter(count, lines=[line("B2", item="S2")])
    asked = await send("POST", f"/{count['id']}/post", {"uncounted": "keep"})
    path = f"/api/inventory/approvals/{asked.json()['id']}"
    read = await client.get(path, headers=caller.headers())
    given = await client.post(f"{path}/approve", headers=Caller(caller.tenant_id).headers())

    assert asked.status_code == 202, asked.text
    assert [(each["serial"], each["lot"]) for each in read.json()["lines"]] == [("B2", None)]
    assert given.status_code == 200, given.text
    found = await client.get("/api/inventory/serials/B2", headers=caller.headers())
    assert found.status_code == 200, found.text
