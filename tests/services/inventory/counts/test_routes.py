"""Opening, entering, reviewing and posting a count."""

from datetime import timedelta
from uuid import uuid4

import pytest

from services.inventory.counts.errors import (
    CountClosed,
    CountFrozen,
    CountNotFound,
    CountRefused,
    CountTooLarge,
    CountUnready,
)
from services.inventory.items.errors import ItemNotFound
from services.inventory.locations.errors import LocationNotFound
from shared.clock import utc_now
from shared.errors import MissingScope, PreconditionFailed, ValidationFailed
from tests.support.services import Caller, assert_problem

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("stock")]


async def verified(client, caller):
    answer = await client.get("/api/inventory/verify", headers=caller.headers())
    return answer.json()["ok"], answer.text


async def test_a_count_is_opened_entered_reviewed_and_posted(
    client, caller, send, open_count, enter, lines_of, on_hand
):
    count = await open_count(title="November")
    entered = await enter(
        count,
        lines=[
            {"item": "A1", "location": "Main", "quantity": "7"},
            {"item": "B1", "location": "Main", "quantity": "5"},
            {"item": "A1", "location": "Bin", "quantity": "3"},
        ],
    )
    reviewed = (await send("GET", f"/{count['id']}")).json()
    lines = await lines_of(count)
    posted = await send("POST", f"/{count['id']}/post", {})

    assert (count["state"], count["lines"], count["uncounted"]) == ("open", 3, 3)
    assert entered.json() == {"entered": 3, "unchanged": 0, "found": 0, "version": 2}
    shown = [(line["location"], line["item"], line["variance"], line["value"]) for line in lines]
    assert shown == [
        ("Bin", "A1", "1", "2.5"), ("Main", "A1", "-3", "-7.5"), ("Main", "B1", "0", None),
    ]  # fmt: skip
    assert (reviewed["differing"], reviewed["value_difference"], reviewed["value_moved"]) == (
        2, "-5", "10",
    )  # fmt: skip
    assert posted.status_code == 200, posted.text
    assert (posted.json()["state"], posted.json()["differing"]) == ("posted", 2)
    assert (await on_hand(), await on_hand("B1")) == ("11", "5")
    moved = await client.get(
        "/api/inventory/movements", params={"reference": count["id"]}, headers=caller.headers()
    )
    assert {(row["kind"], row["change"], row["reason"]) for row in moved.json()["items"]} == {
        ("count_correction", "1", "November"), ("count_correction", "-3", "November"),
        ("count_correction", "0", "November"),
    }  # fmt: skip
    after = await lines_of(count)
    assert [(line["result"], line["expected"], line["variance"]) for line in after] == [
        ("posted", "2", "1"), ("posted", "10", "-3"), ("posted", "5", "0"),
    ]  # fmt: skip
    assert all(line["movement_id"] for line in after)
    assert await verified(client, caller) == (True, (await verified(client, caller))[1])


async def test_what_is_named_together_is_counted_where_it_meets(open_count, send, lines_of):
    async def covered(**scope):
        return [
            (line["location"], line["item"]) for line in await lines_of(await open_count(**scope))
        ]

    assert await covered(with_children=False) == [("Main", "A1"), ("Main", "B1")]
    assert await covered(categories=["Tea"]) == [("Bin", "A1"), ("Main", "A1")]
    assert await covered(locations=[], categories=["Tea", "Coffee"], items=["B1"]) == [
        ("Main", "B1")
    ]
    assert await covered(locations=["Shop", "Bin"]) == [("Bin", "A1"), ("Shop", "A1")]
    assert_problem(await send("POST", "", {}), ValidationFailed)
    assert_problem(await send("POST", "", {"locations": ["Nowhere"]}), LocationNotFound)
    assert_problem(await send("POST", "", {"items": ["A1", "Z9"]}), ItemNotFound, item="Z9")


async def test_movements_while_it_is_counted_are_netted_by_time(
    move, open_count, enter, lines_of, send, on_hand
):
    """Ten lay there; eight were counted; three left before that, and four came after."""
    count = await open_count(with_children=False)
    start = utc_now()
    await move("issue", 3, occurred_at=(start + timedelta(milliseconds=1)).isoformat())
    await enter(count, "8", counted_at=(start + timedelta(milliseconds=2)).isoformat())
    await move("receipt", 4)
    await enter(count, "5", item="B1")
    [line, quiet] = await lines_of(count)
    await send("POST", f"/{count['id']}/post", {})

    assert (line["expected"], line["variance"], line["moved"]) == ("7", "1", True)
    assert (quiet["variance"], quiet["moved"]) == ("0", False)
    assert await on_hand() == "15"  # 8 + 4 at Main, 2 and 1 elsewhere.
    assert [each["moved"] for each in await lines_of(count)] == [True, False]


async def test_lines_that_nobody_counted_are_refused_kept_or_taken_for_none(
    open_count, enter, send, lines_of, on_hand, move
):
    first = await open_count(with_children=False)
    await enter(first, "9")
    refused = await send("POST", f"/{first['id']}/post", {})
    kept = await send("POST", f"/{first['id']}/post", {"uncounted": "keep"})
    second = await open_count(with_children=False)
    await enter(second, "9")
    await move("receipt", 2, "B1")
    none = await send("POST", f"/{second['id']}/post", {"uncounted": "zero"})

    assert_problem(refused, CountUnready, uncounted=1)
    assert kept.json()["state"] == "posted"
    assert [line["result"] for line in await lines_of(first)] == ["posted", "kept"]
    assert none.json()["state"] == "posted", none.text
    assert [line["result"] for line in await lines_of(second)] == ["posted", "zeroed"]
    assert await on_hand("B1") == "2"  # What came after the count is there.


async def test_the_ledger_refuses_all_lines_it_must_and_names_what_holds_them(
    client, caller, open_count, enter, send, on_hand
):
    line = {"item": "A1", "location": "Main", "quantity": "6"}
    held = await client.post(
        "/api/inventory/reservations", json={"lines": [line], "reference": "SO-1"},
        headers=caller.headers(),
    )  # fmt: skip
    count = await open_count()
    await enter(count, "5")
    await enter(count, "1", item="B1")
    refused = await send("POST", f"/{count['id']}/post", {"uncounted": "keep"})
    left = await send("POST", f"/{count['id']}/post", {"uncounted": "keep", "leave_out": [2]})

    assert_problem(refused, CountRefused, refused=1)
    [result] = refused.json()["results"]
    assert (result["line"], result["item"], result["location"]) == (2, "A1", "Main")
    assert (result["code"], result["reserved"]) == ("insufficient_stock", "6")
    assert result["reservations"] == [{"id": held.json()["id"], "reference": "SO-1", "held": "6"}]
    assert left.json()["state"] == "posted", left.text
    assert (await on_hand(), await on_hand("B1")) == ("13", "1")


async def test_frozen_stock_is_counted_and_not_posted(
    client, caller, open_count, enter, send, on_hand
):
    count = await open_count()
    freeze = {"scope": "location", "location": "Main", "reason": "Stocktaking"}
    made = await client.post("/api/inventory/freezes", json=freeze, headers=caller.headers())
    entered = await enter(count, "5")
    refused = await send("POST", f"/{count['id']}/post", {"uncounted": "keep"})
    await client.delete(f"/api/inventory/freezes/{made.json()['id']}", headers=caller.headers())
    posted = await send("POST", f"/{count['id']}/post", {"uncounted": "keep"})

    assert entered.json()["entered"] == 1
    assert_problem(refused, CountFrozen, reason="Stocktaking", lines=[2])
    assert posted.json()["state"] == "posted"
    assert await on_hand() == "8"


async def test_a_count_is_closed_once(open_count, enter, send):
    posted, given_up = await open_count(), await open_count()
    await send("POST", f"/{posted['id']}/post", {"uncounted": "keep"})
    cancelled = await send("POST", f"/{given_up['id']}/cancel", {"reason": "Wrong aisle."})

    assert (cancelled.json()["state"], cancelled.json()["reason"]) == ("cancelled", "Wrong aisle.")
    for count, state in ((posted, "posted"), (given_up, "cancelled")):
        assert_problem(await enter(count, "1"), CountClosed, state=state)
        for act in ("post", "cancel"):
            again = await send("POST", f"/{count['id']}/{act}", {})
            assert_problem(again, CountClosed, state=state)
    unknown = await send("GET", f"/{uuid4()}")
    assert_problem(unknown, CountNotFound)


async def test_only_what_was_seen_is_posted_with_if_match(open_count, enter, send):
    count = await open_count()
    seen = await send("GET", f"/{count['id']}")
    await enter(count, "1")
    stale = await send("POST", f"/{count['id']}/post", {"uncounted": "keep"},
                       If_Match=seen.headers["etag"])  # fmt: skip
    fresh = (await send("GET", f"/{count['id']}")).headers["etag"]
    posted = await send("POST", f"/{count['id']}/post", {"uncounted": "keep"}, If_Match=fresh)

    assert_problem(stale, PreconditionFailed)
    assert posted.status_code == 200, posted.text


async def test_who_may_not_post_counts_and_gives_up_his_own(clerk, open_count, enter, send):
    count, own = await open_count(), await open_count(clerk)
    entered = await enter(count, "1", by=clerk)

    assert entered.status_code == 200
    for act, body in (("post", {}), ("recount", {"lines": [2]}), ("cancel", {})):
        answer = await send("POST", f"/{count['id']}/{act}", body, clerk)
        assert_problem(answer, MissingScope, scope="inventory:write")
    assert (await send("POST", f"/{own['id']}/cancel", {}, clerk)).json()["state"] == "cancelled"
    viewer = Caller(clerk.tenant_id, scopes={"inventory:read"})
    assert_problem(await enter(count, "1", by=viewer), MissingScope, scope="stock:write")


async def test_counts_are_listed_newest_first_and_another_tenant_sees_none(
    open_count, send, lines_of
):
    made = [await open_count(title=f"N{n}") for n in range(3)]
    await send("POST", f"/{made[0]['id']}/cancel", {})
    first = (await send("GET", "?limit=2")).json()
    rest = (await send("GET", f"?limit=2&cursor={first['next_cursor']}")).json()
    stranger = Caller()

    assert [each["title"] for each in first["items"]] == ["N2", "N1"]
    assert [each["title"] for each in rest["items"]] == ["N0"]
    assert [each["title"] for each in (await send("GET", "?state=cancelled")).json()["items"]] == [
        "N0"
    ]
    assert (await send("GET", "", by=stranger)).json()["items"] == []
    assert_problem(await send("GET", f"/{made[0]['id']}", by=stranger), CountNotFound)
    assert_problem(await lines_of(made[0], by=stranger), CountNotFound)
    assert_problem(await send("POST", f"/{made[1]['id']}/post", {}, by=stranger), CountNotFound)


async def test_lines_come_in_pages_in_the_order_of_walking(open_count, client, caller):
    count = await open_count()
    path = f"/api/inventory/counts/{count['id']}/lines"
    first = await client.get(path, params={"limit": 2}, headers=caller.headers())
    cursor = first.json()["next_cursor"]
    rest = await client.get(path, params={"cursor": cursor}, headers=caller.headers())

    found = [*first.json()["items"], *rest.json()["items"]]
    assert [(line["number"], line["location"], line["item"]) for line in found] == [
        (1, "Bin", "A1"), (2, "Main", "A1"), (3, "Main", "B1"),
    ]  # fmt: skip


async def test_a_count_has_a_bound(monkeypatch, send):
    monkeypatch.setattr("services.inventory.counts.service.opening.LINES_MAX", 2)

    refused = await send("POST", "", {"locations": ["Main"]})

    assert_problem(refused, CountTooLarge, lines_max=2)
