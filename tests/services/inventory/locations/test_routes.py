import asyncio

import pytest

from services.inventory.locations.errors import (
    LocationInUse,
    LocationMisplaced,
    LocationNameTaken,
    LocationNotFound,
)
from shared.errors import PreconditionFailed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack


async def test_locations_form_a_tree(client, caller, make_location):
    warehouse = await make_location("Main")
    zone = await make_location("Cold", "zone", parent="Main", capacity="100")
    misplaced = {"name": "Odd", "type": "warehouse", "parent": "Main"}
    lost = {"name": "Lost", "type": "zone", "parent": "Nowhere"}

    wrong = await client.post("/api/locations", json=misplaced, headers=caller.headers())
    unknown = await client.post("/api/locations", json=lost, headers=caller.headers())

    assert zone["parent_id"] == warehouse["id"]
    assert zone["capacity"] == "100"
    assert_problem(wrong, LocationMisplaced)
    assert_problem(unknown, LocationNotFound, location="Nowhere")


async def test_a_name_is_taken_once_in_a_tenant(client, caller, make_location):
    await make_location("Main")
    body = {"name": "Main", "type": "warehouse"}

    again = await client.post("/api/locations", json=body, headers=caller.headers())
    elsewhere = await client.post("/api/locations", json=body, headers=Caller().headers())

    assert_problem(again, LocationNameTaken, location="Main")
    assert elsewhere.status_code == 201


async def test_a_name_is_one_name_however_it_is_written(client, caller, make_location):
    await make_location("Hall A/B")
    body = {"name": "HALL  a/b", "type": "warehouse"}

    again = await client.post("/api/locations", json=body, headers=caller.headers())
    zone = await make_location("Cold", "zone", parent="hall a/B")
    bin_ = await make_location("B1", "bin", parent=zone["id"])

    assert_problem(again, LocationNameTaken)
    assert bin_["parent_id"] == zone["id"]


async def test_of_many_at_once_one_gets_the_name(client, caller):
    async def add(number):
        body = {"name": "Main" if number % 2 else "MAIN", "type": "warehouse"}
        return await client.post("/api/locations", json=body, headers=caller.headers())

    answers = await asyncio.gather(*(add(number) for number in range(5)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 4


async def test_a_location_is_asked_for_by_name_or_id(
    client, caller, make_location, make_item, move
):
    place = await make_location("Main")
    await make_item("A1")
    await move("receipt", 1)

    for name in ("MAIN", place["id"]):
        there = await client.get(f"/api/locations/{name}/inventory", headers=caller.headers())
        items = await client.get(f"/api/inventory?location={name}", headers=caller.headers())
        assert [item["code"] for item in there.json()["items"]] == ["A1"]
        assert [item["code"] for item in items.json()["items"]] == ["A1"]


async def test_a_rename_needs_the_present_version(client, caller, make_location):
    location = await make_location("Main")
    path = f"/api/locations/{location['id']}"

    renamed = await client.patch(
        path, json={"name": "Hall"}, headers=caller.headers(**{"If-Match": '"1"'})
    )
    stale = await client.patch(
        path, json={"name": "Yard"}, headers=caller.headers(**{"If-Match": '"1"'})
    )

    assert renamed.json()["name"] == "Hall"
    assert_problem(stale, PreconditionFailed)


async def test_a_change_of_nothing_changes_nothing(client, caller, make_location):
    location = await make_location("Main")

    answer = await client.patch(
        f"/api/locations/{location['id']}", json={}, headers=caller.headers()
    )

    assert answer.json() == location


async def test_only_an_unused_location_is_removed(client, caller, make_location, make_item, move):
    used, unused = await make_location("Main"), await make_location("Spare")
    await make_item("A1")
    await move("receipt", 1)
    await move("issue", 1)

    refused = await client.delete(f"/api/locations/{used['id']}", headers=caller.headers())
    removed = await client.delete(f"/api/locations/{unused['id']}", headers=caller.headers())

    assert_problem(refused, LocationInUse)
    assert removed.status_code == 204
    listed = await client.get("/api/locations", headers=caller.headers())
    assert [location["name"] for location in listed.json()["items"]] == ["Main"]


async def test_what_lies_there_is_listed(client, caller, make_location, make_item, move):
    await make_location("Main")
    for code in ("A1", "B1", "C1"):
        await make_item(code)
        await move("receipt", 2, item=code)

    first = await client.get("/api/locations/Main/inventory?limit=2", headers=caller.headers())
    cursor = first.json()["next_cursor"]
    rest = await client.get(
        f"/api/locations/Main/inventory?limit=2&cursor={cursor}", headers=caller.headers()
    )

    assert [item["code"] for item in first.json()["items"]] == ["A1", "B1"]
    assert [item["code"] for item in rest.json()["items"]] == ["C1"]
    assert rest.json()["next_cursor"] is None
