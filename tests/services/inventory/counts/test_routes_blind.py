"""Blind counts and recounts: whoever counts learns nothing of what is expected."""

import json
import re
from uuid import uuid4

import pytest

from services.inventory.counts.errors import (
    CountHidden,
    CountLinesRefused,
    CountUnready,
    NothingToRecount,
)
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

EXPECTED = "7341"
# In which any four digits may stand by chance.
IDS_AND_TIMES = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+")
OTHERS = "6218"  # What somebody else counted.


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    await make_location("Main")
    await make_item("A1", unit_cost="3")
    await make_item("B1")
    assert (await move("receipt", EXPECTED)).status_code == 201
    assert (await move("receipt", 5, "B1")).status_code == 201


@pytest.fixture
def other_clerk(caller):
    return Caller(caller.tenant_id, scopes={"inventory:read", "stock:write"}, role="clerk")


def assert_tells_nothing(answer, *more):
    text = IDS_AND_TIMES.sub("", answer.text + json.dumps(dict(answer.headers)))
    for secret in (EXPECTED, OTHERS, "-1123", "-3369", *more):
        assert secret not in text, (answer.url, secret, text)


async def test_who_counts_blind_sees_the_list_and_his_own_figures(
    clerk, other_clerk, open_count, enter, send, lines_of
):
    count = await open_count(blind=True, tolerance_percent="1")
    await enter(count, OTHERS, by=other_clerk)
    await enter(count, "4242", by=clerk)
    await enter(count, "5", item="B1", by=clerk)
    path = f"/{count['id']}"

    for answer in (
        await send("GET", "", by=clerk), await send("GET", path, by=clerk),
        await send("GET", f"{path}/lines", by=clerk),
        await send("GET", f"{path}/lines?show=counted", by=clerk),
        await send("GET", f"{path}/lines?show=uncounted", by=clerk),
        await enter(count, "17", by=clerk, id=str(uuid4()), add=True),
    ):  # fmt: skip
        assert answer.status_code == 200, answer.text
        assert_tells_nothing(answer)
    seen = (await send("GET", path, by=clerk)).json()
    hidden = ("disputed", "differing", "beyond_tolerance", "moved", "value_difference")
    assert [seen[name] for name in hidden] == [None] * 5
    first, second = await lines_of(count, clerk)
    assert (first["counted"], second["counted"]) == ("4259", "5")
    assert {each["counter"] for each in first["entries"]} == {f"user:{clerk.id}"}
    assert first["expected"] is first["variance"] is first["disputed"] is None
    for show in ("differing", "beyond_tolerance", "disputed"):
        assert_problem(await lines_of(count, clerk, show=show), CountHidden)
    boss = (await lines_of(count))[0]
    assert (boss["expected"], boss["disputed"], len(boss["entries"])) == (EXPECTED, True, 3)


async def test_once_it_is_closed_all_is_told(clerk, open_count, enter, send, lines_of):
    count = await open_count(blind=True)
    await enter(count, "7340", by=clerk)
    for act in ("post", "cancel", "recount"):
        body = {"lines": [1]} if act == "recount" else {}
        assert_tells_nothing(await send("POST", f"/{count['id']}/{act}", body, clerk))
    posted = await send("POST", f"/{count['id']}/post", {"uncounted": "keep"})
    line = (await lines_of(count, clerk))[0]

    assert posted.json()["state"] == "posted", posted.text
    assert (line["expected"], line["variance"], line["value"]) == (EXPECTED, "-1", None)


async def test_refusals_of_entries_tell_nothing(clerk, open_count, enter, client, caller):
    line = {"item": "A1", "location": "Main", "quantity": "700"}
    await client.post(
        "/api/inventory/reservations", json={"lines": [line]}, headers=caller.headers()
    )
    count = await open_count(blind=True)
    low = await enter(count, "1", by=clerk)
    wrong = await enter(count, "99999999999999.99999", by=clerk)

    assert low.status_code == 200  # What he saw is no mistake of his.
    assert_problem(wrong, CountLinesRefused)
    for answer in (low, wrong):
        assert_tells_nothing(answer, "700")


async def test_lines_are_counted_again_by_somebody_else_who_does_not_see_the_first_figure(
    clerk, other_clerk, open_count, enter, send, lines_of, on_hand
):
    count = await open_count(tolerance_percent="2")
    await enter(count, OTHERS, by=clerk)
    await enter(count, "5", item="B1", by=clerk)
    early = await send("POST", f"/{count['id']}/post", {})
    asked = await send("POST", f"/{count['id']}/recount", {"beyond_tolerance": True})
    unready = await send("POST", f"/{count['id']}/post", {"uncounted": "zero"})
    again = await enter(count, "7000", by=clerk)
    for path in ("", "/lines", "/lines?show=recount"):
        assert_tells_nothing(await send("GET", f"/{count['id']}{path}", by=other_clerk))
    second = await enter(count, "7300", by=other_clerk)
    [line] = await lines_of(count, item="A1")
    posted = await send("POST", f"/{count['id']}/post", {})

    assert_problem(early, CountUnready, beyond_tolerance=1)
    assert (asked.json()["to_recount"], asked.json()["counted"]) == (1, 1)
    assert_problem(unready, CountUnready, to_recount=1, beyond_tolerance=0)
    assert [each["code"] for each in again.json()["results"]] == ["recount_by_another"]
    assert second.json()["entered"] == 1
    assert (line["counted"], line["round"], line["variance"]) == ("7300", 2, "-41")
    assert [(each["round"], each["quantity"]) for each in line["entries"]] == [
        (1, OTHERS), (2, "7300"),
    ]  # fmt: skip
    assert posted.json()["state"] == "posted", posted.text
    assert await on_hand() == "7300"


async def test_who_is_alone_counts_again_himself_if_that_was_allowed(
    open_count, enter, send, lines_of
):
    count = await open_count()
    await enter(count, "7000")
    nothing = await send("POST", f"/{count['id']}/recount", {"lines": [1, 2]})
    await send("POST", f"/{count['id']}/recount", {"lines": [1], "same_counter": True})
    again = await enter(count, "7300")

    assert_problem(nothing, NothingToRecount)
    assert again.json()["entered"] == 1
    assert (await lines_of(count))[0]["counted"] == "7300"


async def test_a_recount_settles_a_dispute(clerk, other_clerk, open_count, enter, send, lines_of):
    count = await open_count()
    await enter(count, "7000", by=clerk)
    await enter(count, "7001", by=other_clerk)
    await send("POST", f"/{count['id']}/recount", {"disputed": True})
    await enter(count, "7341")
    posted = await send("POST", f"/{count['id']}/post", {"uncounted": "keep"})

    assert posted.json()["state"] == "posted", posted.text
    assert (await lines_of(count))[0]["variance"] == "0"


async def test_what_is_beyond_tolerance_may_be_accepted(open_count, enter, send, on_hand):
    """Of both tolerances the one that allows more counts: 1 % of 7341 is 73."""
    count = await open_count(tolerance_percent="1", tolerance_quantity="3")
    await enter(count, "7270")
    await enter(count, "9", item="B1")
    refused = await send("POST", f"/{count['id']}/post", {})
    seen = (await send("GET", f"/{count['id']}")).json()
    accepted = await send("POST", f"/{count['id']}/post", {"accept_beyond_tolerance": True})

    assert_problem(refused, CountUnready, beyond_tolerance=1)
    assert (seen["differing"], seen["beyond_tolerance"]) == (2, 1)
    assert accepted.json()["state"] == "posted"
    assert (await on_hand(), await on_hand("B1")) == ("7270", "9")
