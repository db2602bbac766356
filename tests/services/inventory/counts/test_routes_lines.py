"""Entering what was counted: by several, again, in any order, and all that is wrong at once."""

from datetime import timedelta
from uuid import uuid4

import pytest

from services.inventory.counts.errors import CountLinesRefused, CountUnready
from shared.clock import utc_now
from tests.support.services import assert_problem

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("stock")]


async def test_what_somebody_counts_anew_takes_the_place_of_what_he_counted_before(
    open_count, enter, lines_of
):
    count = await open_count()
    now = utc_now()
    for quantity, minutes in (("7", 2), ("9", 1), ("8", 3)):
        at = (now - timedelta(minutes=minutes)).isoformat()
        assert (await enter(count, quantity, counted_at=at)).json()["entered"] == 1
    line = (await lines_of(count, location="Main", item="A1"))[0]

    assert (line["counted"], line["disputed"]) == ("9", False)  # The latest by time of counting.
    assert [each["quantity"] for each in line["entries"]] == ["8", "7", "9"]
    assert (await enter(count, None)).json()["entered"] == 1
    line = (await lines_of(count, location="Main", item="A1"))[0]
    assert (line["counted"], len(line["entries"])) == (None, 4)


async def test_what_is_sent_again_changes_nothing(open_count, enter, send, lines_of):
    count = await open_count()
    line = {"item": "A1", "location": "Main", "quantity": "4", "id": str(uuid4())}
    timed = {"item": "B1", "location": "Main", "quantity": "4",
             "counted_at": utc_now().isoformat()}  # fmt: skip
    more = {"item": "A1", "location": "Bin", "quantity": "1", "id": str(uuid4()), "add": True}
    first = await enter(count, lines=[line, timed, more])
    again = [await enter(count, lines=[line, timed, more]) for _ in range(2)]
    other = await enter(count, lines=[line | {"quantity": "5"}, more | {"location": "Main"}, timed])

    assert first.json()["entered"] == 3
    for answer in again:
        assert answer.json() == {"entered": 0, "unchanged": 3, "found": 0, "version": 2}
    assert_problem(other, CountLinesRefused, refused=2)
    assert [(each["line"], each["code"]) for each in other.json()["results"]] == [
        (0, "entry_id_used"), (1, "entry_id_used"),
    ]  # fmt: skip
    assert [each["counted"] for each in await lines_of(count)] == ["1", "4", "4"]
    assert (await send("GET", f"/{count['id']}")).json()["version"] == 2


async def test_what_is_sent_again_of_an_earlier_instant_changes_nothing_either(
    open_count, enter, lines_of
):
    count = await open_count()
    now = utc_now()
    earlier, later = ((now - timedelta(minutes=n)).isoformat() for n in (2, 1))
    said = [
        (await enter(count, quantity, counted_at=at)).json()["entered"]
        for quantity, at in (
            ("7", later), ("9", earlier), ("9", earlier), ("7", later), ("8", earlier),
            ("9", earlier),
        )
    ]  # fmt: skip
    line = (await lines_of(count, location="Main", item="A1"))[0]

    assert said == [1, 1, 0, 0, 1, 1]  # What was said in between is said anew.
    assert line["counted"] == "7"
    assert [each["quantity"] for each in line["entries"]] == ["9", "8", "9", "7"]


async def test_several_count_one_line_by_adding_or_by_agreeing(
    caller, clerk, open_count, enter, lines_of, send
):
    count = await open_count(with_children=False)
    await enter(count, "6")
    await enter(count, "4", by=clerk, add=True, id=str(uuid4()))
    added = (await lines_of(count))[0]
    await enter(count, "5", item="B1")
    await enter(count, "5", item="B1", by=clerk)
    agreed = (await lines_of(count))[1]
    await enter(count, "4", item="B1", by=clerk)
    [disputed] = await lines_of(count, show="disputed")
    refused = await send("POST", f"/{count['id']}/post", {})

    assert (added["counted"], added["disputed"]) == ("10", False)
    assert (agreed["counted"], agreed["disputed"]) == ("5", False)
    assert (disputed["item"], disputed["counted"]) == ("B1", "4")
    assert_problem(refused, CountUnready, disputed=1, uncounted=0, to_recount=0)


async def test_two_who_counted_at_different_times_agree_if_movements_explain_it(
    clerk, open_count, enter, move, lines_of
):
    count = await open_count(with_children=False)
    await enter(count, "9")
    await move("issue", 4)
    await enter(count, "5", by=clerk)

    line = (await lines_of(count))[0]
    assert (line["counted"], line["expected"], line["variance"]) == ("5", "6", "-1")
    assert line["disputed"] is False


async def test_what_was_not_on_the_list_is_found(
    make_item, open_count, enter, lines_of, send, on_hand
):
    await make_item("C1")
    count = await open_count(with_children=False)
    found = await enter(count, "3", item="C1")
    astray = await enter(count, "3", item="C1", location="Shop")
    await enter(count, "2", item="A1", location="Main")
    [line] = await lines_of(count, show="found")
    posted = await send("POST", f"/{count['id']}/post", {"uncounted": "keep"})

    assert found.json()["found"] == 1
    assert [each["code"] for each in astray.json()["results"]] == ["outside_count"]
    assert (line["number"], line["expected"], line["variance"]) == (3, "0", "3")
    assert posted.json()["found"] == 1
    assert (await on_hand("C1"), await on_hand("B1")) == ("3", "5")


async def test_what_was_found_by_mistake_is_taken_back(make_item, open_count, enter, send):
    await make_item("C1")
    count = await open_count(locations=["Shop"])
    await enter(count, "3", item="C1", location="Shop")
    await enter(count, None, item="C1", location="Shop")
    await enter(count, "1", location="Shop")

    posted = await send("POST", f"/{count['id']}/post", {})

    assert posted.json()["state"] == "posted", posted.text
    assert posted.json()["uncounted"] == 0


async def test_all_that_is_wrong_is_told_at_once(make_item, make_location, open_count, enter, send):
    await make_item("T1", tracking="lot")
    await make_location("Road", "transit")
    count = await open_count()
    good = {"item": "A1", "location": "Main", "quantity": "1"}
    tomorrow = (utc_now() + timedelta(days=1)).isoformat()
    wrong = [
        (good | {"item": "Z9"}, "item_not_found"),
        (good | {"location": "Nowhere"}, "location_not_found"),
        (good | {"unit": "case"}, "unknown_unit"),
        (good | {"lot": "L1"}, "lots_not_tracked"),
        (good | {"item": "T1"}, "lot_needed"),
        (good | {"item": "T1", "lot": "L1"}, "lot_not_found"),
        (good | {"location": "Road"}, "in_transit"),
        (good | {"counted_at": tomorrow}, "movement_in_future"),
        (good | {"quantity": "-1"}, "validation_failed"),
        (good | {"quantity": "1.00001", "item": ""}, "validation_failed"),
        (good | {"add": True}, "validation_failed"),
        (good | {"colour": "red"}, "validation_failed"),
        (good | {"location": "Shop"}, "outside_count"),
    ]
    answer = await enter(count, lines=[good, *(line for line, _ in wrong)])
    french = await send("PUT", f"/{count['id']}/lines", {"lines": [good | {"item": "Z9"}]},
                        Accept_Language="fr")  # fmt: skip

    assert_problem(answer, CountLinesRefused, refused=len(wrong))
    found = [(each["line"], each["code"]) for each in answer.json()["results"]]
    assert found == [(n, code) for n, (_, code) in enumerate(wrong, start=1)]
    assert answer.json()["results"][9]["message"].count(":") == 2  # Both fields are named.
    assert french.json()["title"].endswith("été saisi")
    assert (await send("GET", f"/{count['id']}")).json()["counted"] == 0


async def test_packs_and_lots_are_counted_as_movements_name_them(
    make_item, move, open_count, enter, lines_of, send
):
    item = await make_item("P1", packs=[{"unit": "case", "quantity": "12"}])
    await make_item("T1", tracking="lot")
    for lot in ("L1", "L2"):
        await move("receipt", 3, "T1", lot=lot)
    await move("receipt", 24, "P1")
    count = await open_count(items=["P1", "T1"])
    await enter(
        count,
        lines=[
            {"item": item["id"], "location": "Main", "quantity": "1.5", "unit": "Case"},
            {"item": "T1", "location": "Main", "quantity": "2", "lot": "l1"},
            {"item": "T1", "location": "Main", "quantity": "4", "lot": "L2"},
        ],
    )
    lines = await lines_of(count)
    posted = await send("POST", f"/{count['id']}/post", {})

    assert [(line["item"], line["lot"], line["variance"]) for line in lines] == [
        ("P1", None, "-6"), ("T1", "L1", "-1"), ("T1", "L2", "1"),
    ]  # fmt: skip
    assert posted.json()["differing"] == 3


async def test_a_closed_period_is_told_when_it_is_entered(client, caller, open_count, enter):
    count = await open_count()
    body = {"last_day": "2026-01-31"}
    await client.post("/api/inventory/periods", json=body, headers=caller.headers())

    answer = await enter(count, "5", counted_at="2026-01-15T12:00:00Z")

    assert [each["code"] for each in answer.json()["results"]] == ["period_closed"]
