"""What to count next: classes by what is issued, and when it was counted last."""

from datetime import timedelta

import pytest

from shared.clock import utc_now
from tests.support.services import Caller

pytestmark = pytest.mark.stack

PATH = "/api/inventory/counts/proposals"


@pytest.fixture
def proposals(client, caller):
    async def get(by=None, **query):
        found = await client.get(PATH, params=query, headers=(by or caller).headers())
        assert found.status_code == 200, found.text
        return found.json()

    return get


@pytest.fixture(autouse=True)
async def stock(make_location, make_item, move):
    """A1 makes up 85 % of the issued value, B1 12 %, C1 the rest; D1 was never issued."""
    await make_location("Main")
    await make_location("Bin", "bin", parent="Main")
    for item, cost, issued in (
        ("A1", "8.5", 100),
        ("B1", "120", 1),
        ("C1", "0.3", 100),
        ("D1", "9", 0),
    ):
        await make_item(item, unit_cost=cost, category="Tea" if item == "D1" else "Coffee")
        await move("receipt", 500, item, occurred_at=ago(40))
        if issued:
            await move("issue", issued, item, occurred_at=ago(20))
    await move("receipt", 5, "D1", "Bin")


def ago(days):
    return (utc_now() - timedelta(days=days)).isoformat()


def shown(page):
    return [(each["item"], each["location"], each["abc_class"]) for each in page["items"]]


async def test_what_was_never_counted_comes_first_by_class(proposals):
    page = await proposals()

    assert page["classified_by"] == "value"
    assert shown(page)[:2] == [("A1", "Main", "A"), ("B1", "Main", "B")]
    assert sorted(shown(page)[2:]) == [
        ("C1", "Main", "C"), ("D1", "Bin", "C"), ("D1", "Main", "C"),
    ]  # fmt: skip
    assert {(each["due"], each["due_at"], each["last_counted_at"]) for each in page["items"]} == {
        (True, None, None)
    }


async def test_what_was_counted_is_due_after_the_days_of_its_class(
    open_count, enter, send, proposals, move
):
    """By a count, also without a difference, or by a count correction."""
    count = await open_count(with_children=False)
    await enter(
        count,
        lines=[
            {"item": item, "location": "Main", "quantity": quantity, "counted_at": ago(19)}
            for item, quantity in (("A1", 400), ("B1", 499), ("C1", 400), ("D1", 500))
        ],
    )
    posted = await send("POST", f"/{count['id']}/post", {})
    await move("count_correction", 400, "C1")
    late = await proposals(a_days=15, due="true")
    page = await proposals()
    assert posted.json()["state"] == "posted", posted.text

    assert shown(late) == [("D1", "Bin", "C"), ("A1", "Main", "A")]
    assert shown(page) == [
        ("D1", "Bin", "C"), ("A1", "Main", "A"), ("B1", "Main", "B"), ("D1", "Main", "C"),
        ("C1", "Main", "C"),
    ]  # fmt: skip
    assert [each["due"] for each in page["items"]] == [True, False, False, False, False]
    assert shown(await proposals(due="false"))[0] == ("A1", "Main", "A")


async def test_a_count_that_was_undone_counts_no_more(client, caller, move, proposals):
    counted = await move("count_correction", 400, "A1")
    [known] = [each for each in (await proposals())["items"] if each["item"] == "A1"]
    await client.post(
        f"/api/inventory/movements/{counted.json()['id']}/reverse", json={"reason": "x"},
        headers=caller.headers(),
    )  # fmt: skip
    [undone] = [each for each in (await proposals())["items"] if each["item"] == "A1"]

    assert known["last_counted_at"] is not None
    assert undone["last_counted_at"] is None


async def test_a_count_is_opened_of_what_is_most_overdue(open_count, lines_of, move):
    await move("count_correction", 400, "A1")
    count = await open_count(locations=[], cycle={"lines_max": 2})
    narrow = await open_count(locations=[], categories=["Tea"], cycle={})

    assert [(line["item"], line["location"]) for line in await lines_of(count)] == [
        ("B1", "Main"), ("C1", "Main"),
    ]  # fmt: skip
    assert [(line["item"], line["location"]) for line in await lines_of(narrow)] == [
        ("D1", "Bin"), ("D1", "Main"),
    ]  # fmt: skip


async def test_proposals_come_in_pages_of_ones_own_places_and_category(
    client, caller, clerk, proposals
):
    first = await proposals(limit=2)
    second = await proposals(limit=2, cursor=first["next_cursor"])
    third = await proposals(limit=2, cursor=second["next_cursor"])
    found = await client.get("/api/locations", headers=caller.headers())
    ids = {place["name"]: place["id"] for place in found.json()["items"]}
    limited = Caller(caller.tenant_id, locations=[ids["Bin"]])

    whole = shown(first) + shown(second) + shown(third)
    assert whole == shown(await proposals())
    assert third["next_cursor"] is None
    assert shown(await proposals(category="Tea", location="Bin")) == [("D1", "Bin", "C")]
    assert shown(await proposals(limited)) == [("D1", "Bin", "C")]
    assert shown(await proposals(clerk)) == whole  # One class for all, whoever may see costs.


async def test_without_any_cost_classes_are_by_quantity(client, make_item, make_location, move):
    stranger = Caller()

    async def post(path, body):
        assert (await client.post(path, json=body, headers=stranger.headers())).is_success

    await post("/api/locations", {"name": "Main", "type": "warehouse"})
    for item, issued in (("A1", 90), ("C1", 1)):
        await post("/api/inventory/add-item", {"code": item, "name": item})
        where = {"item": item, "location": "Main"}
        await post("/api/inventory/movements", where | {"kind": "receipt", "quantity": 100})
        await post("/api/inventory/movements", where | {"kind": "issue", "quantity": issued})
    page = (await client.get(PATH, headers=stranger.headers())).json()

    assert page["classified_by"] == "quantity"
    assert shown(page) == [("A1", "Main", "A"), ("C1", "Main", "C")]
