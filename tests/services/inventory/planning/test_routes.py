"""What is wished of items at single locations, and what is low by that, over HTTP."""

import asyncio

import pytest

from services.inventory.items.errors import ItemNotFound
from services.inventory.locations.errors import LocationNotFound
from services.inventory.planning.errors import PlanningNotFound
from services.inventory.planning.queries import low as queries
from shared.errors import LocationNotAllowed, PreconditionFailed, ValidationFailed
from shared.pagination import InvalidCursor
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack

NOBODY = "0190b6f0-5a3c-7000-8000-2f1c4d5e6f70"


@pytest.fixture
def send(client, caller):
    async def request(method, path, body=None, who=None, **headers):
        return await client.request(
            method, f"/api/inventory/{path}", json=body, headers=(who or caller).headers(**headers)
        )

    return request


@pytest.fixture
def low(client, caller):
    async def get(who=None, **query):
        answer = await client.get(
            "/api/inventory/low-stock", params=query, headers=(who or caller).headers()
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    return get


@pytest.fixture
async def places(make_location):
    main = await make_location("Main")
    await make_location("Shelf", "bin", parent="Main")
    shop = await make_location("Shop")
    return {"Main": main["id"], "Shop": shop["id"]}


def told(page):
    fields = ("code", "location", "available", "below", "shortfall")
    return [tuple(item[name] for name in fields) for item in page["items"]]


async def test_what_is_low_over_all_locations(low, make_item, move, places):
    for code, planned in (
        ("A1", {"reorder_point": "5"}),
        ("B1", {"par_level": "10", "reorder_point": "2"}),
        ("C1", {"par_level": "10"}),
        ("D1", {"reorder_point": "4"}),
        ("E1", {}),
    ):
        await make_item(code, **planned)
        await move("receipt", 3, item=code)
        await move("receipt", 2, item=code, location="Shop")

    found = await low()

    assert told(found) == [
        ("A1", None, "5", "reorder_point", "0"),
        ("B1", None, "5", "par_level", "5"),
        ("C1", None, "5", "par_level", "5"),
    ]
    assert [item["code"] for item in (await low(below="reorder_point"))["items"]] == ["A1"]
    assert [item["code"] for item in (await low(below="par_level"))["items"]] == ["B1", "C1"]


@pytest.mark.parametrize("many", [1, 5_000])
async def test_values_of_a_location_hold_there_with_what_lies_in_it(
    low, send, make_item, move, places, monkeypatch, many
):
    """However much lies there, by which the statement is chosen."""
    monkeypatch.setattr(queries, "MANY_LINES", many)
    item = await make_item("A1", reorder_point="5", par_level="5")
    await make_item("B1", reorder_point="5")  # Never lay anywhere.
    planned = await make_item("C1")
    await move("receipt", 6, location="Shelf")
    await move("receipt", 6, location="Shop")
    at_main, at_shop = (f"{item['id']}/planning/{places[name]}" for name in ("Main", "Shop"))

    saved = await send("PUT", at_main, {"reorder_point": "6", "maximum": "40"})
    await send("PUT", f"{planned['id']}/planning/{places['Main']}", {"par_level": 1})

    assert (saved.json()["reorder_point"], saved.json()["par_level"]) == ("6", None)
    assert (saved.json()["location"], saved.json()["version"]) == ("Main", 1)
    page = await low(location="main")
    assert told(page) == [
        ("A1", "Main", "6", "reorder_point", "0"), ("C1", "Main", "0", "par_level", "1"),
    ]  # fmt: skip
    assert [page["items"][0][name] for name in ("par_level", "maximum")] == ["5", "40"]
    assert (await low(location=places["Shop"]))["items"] == []
    assert [item["code"] for item in (await low())["items"]] == ["B1"]

    await send("PUT", at_shop, {"par_level": "6.5"})
    assert told(await low(location="Shop")) == [("A1", "Shop", "6", "par_level", "0.5")]
    assert (await send("DELETE", at_shop)).status_code == 204
    assert (await low(location="Shop"))["items"] == []


@pytest.mark.parametrize("many", [1, 5_000])
async def test_pages_go_on_where_the_last_one_ended(
    low, make_item, move, places, monkeypatch, many
):
    monkeypatch.setattr(queries, "MANY_LINES", many)
    for number in range(5):
        await make_item(f"A{number}", reorder_point="1")
        await move("receipt", 1, item=f"A{number}")

    for query in ({}, {"location": "Main"}):
        seen, cursor = [], None
        while True:
            page = await low(limit=2, **query, **({"cursor": cursor} if cursor else {}))
            seen += [item["code"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == [f"A{number}" for number in range(5)]


async def test_values_are_put_read_listed_and_removed(send, make_item, places, low):
    item = await make_item("A1", maximum="50")
    assert item["maximum"] == "50"
    path = f"{item['id']}/planning"
    at_main = f"{path}/{places['Main']}"

    assert_problem(await send("GET", at_main), PlanningNotFound)
    assert_problem(await send("PUT", at_main, {}, **{"If-Match": '"1"'}), PreconditionFailed)
    first = await send("PUT", at_main, {"maximum": "9"})
    await send("PUT", f"{path}/{places['Shop']}", {"reorder_quantity": "3"})
    stale = await send("PUT", at_main, {"maximum": 8}, **{"If-Match": '"7"'})
    second = await send("PUT", at_main, {"par_level": 8}, **{"If-Match": first.headers["etag"]})

    assert_problem(stale, PreconditionFailed)
    assert (second.json()["maximum"], second.json()["par_level"]) == (None, "8")
    assert (await send("GET", at_main)).json() == second.json()
    pages = await send("GET", f"{path}?limit=1")
    rest = await send("GET", f"{path}?limit=1&cursor={pages.json()['next_cursor']}")
    assert [p.json()["items"][0]["location"] for p in (pages, rest)] == ["Main", "Shop"]
    assert (await send("DELETE", at_main)).status_code == 204
    assert_problem(await send("DELETE", at_main), PlanningNotFound)


async def test_what_is_not_there_or_not_valid_is_told(send, make_item, places, client, caller):
    item = await make_item("A1")
    at_main = f"{item['id']}/planning/{places['Main']}"

    missing = await send("PUT", f"{NOBODY}/planning/{places['Main']}", {})
    nowhere = await send("PUT", f"{item['id']}/planning/{NOBODY}", {})
    wrong = await send("PUT", at_main, {"maximum": -1, "reorder_quantity": 0})
    unknown = await send("GET", "low-stock?location=Nowhere")
    cursor = await send("GET", "low-stock?cursor=x")

    assert_problem(missing, ItemNotFound)
    assert_problem(nowhere, LocationNotFound)
    assert_problem(wrong, ValidationFailed)
    assert_problem(unknown, LocationNotFound)
    assert_problem(cursor, InvalidCursor)


async def test_who_is_limited_sees_and_changes_what_is_his(send, make_item, places, low, caller):
    item = await make_item("A1")
    paths = [f"{item['id']}/planning/{places[name]}" for name in ("Main", "Shop")]
    for path in paths:
        await send("PUT", path, {"reorder_point": "5"})
    limited = Caller(caller.tenant_id, locations=[places["Shop"]])

    assert_problem(await send("GET", paths[0], who=limited), LocationNotFound)
    assert (await send("GET", paths[1], who=limited)).status_code == 200
    listed = await send("GET", f"{item['id']}/planning", who=limited)
    assert [each["location"] for each in listed.json()["items"]] == ["Shop"]
    assert_problem(await send("PUT", paths[1], {}, who=limited), LocationNotAllowed)
    assert told(await low(who=limited, location="Shop"))[0][:2] == ("A1", "Shop")


async def test_values_go_with_a_location_that_is_removed(send, client, caller, make_item, places):
    item = await make_item("A1")
    path = f"{item['id']}/planning/{places['Shop']}"
    await send("PUT", path, {"reorder_point": "5"})

    gone = await client.delete(f"/api/locations/{places['Shop']}", headers=caller.headers())

    assert gone.status_code == 204
    assert (await send("GET", f"{item['id']}/planning")).json()["items"] == []


async def test_two_first_values_at_once_are_one_and_then_another(send, make_item, places):
    item = await make_item("A1")
    path = f"{item['id']}/planning/{places['Main']}"

    answers = await asyncio.gather(*(send("PUT", path, {"maximum": n}) for n in range(4)))

    assert {answer.status_code for answer in answers} <= {200, 412}
    assert 200 in {answer.status_code for answer in answers}
