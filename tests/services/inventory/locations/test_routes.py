import asyncio

import pytest

from services.inventory.locations.errors import (
    LocationInUse,
    LocationMisplaced,
    LocationNameTaken,
    LocationNotFound,
    LocationRetired,
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


async def test_what_lies_inside_is_listed_with_it_if_asked(
    client, caller, make_location, make_item, move
):
    await make_location("Main")
    await make_location("Cold", "zone", parent="Main")
    await make_location("B1", "bin", parent="Cold")
    await make_location("Other")
    for code in ("A1", "B1"):
        await make_item(code)
    await move("receipt", 1, item="A1", location="Main")
    await move("receipt", 2, item="A1", location="B1")
    await move("receipt", 3, item="B1", location="B1")
    await move("receipt", 4, item="B1", location="Other")

    async def lies_at(path):
        answer = await client.get(f"/api/locations/{path}", headers=caller.headers())
        return [(item["code"], item["on_hand"]) for item in answer.json()["items"]]

    assert await lies_at("Main/inventory") == [("A1", "1")]
    assert await lies_at("Main/inventory?recursive=true") == [("A1", "3"), ("B1", "3")]
    assert await lies_at("cold/inventory?recursive=true") == [("A1", "2"), ("B1", "3")]
    assert await lies_at("Main/inventory?recursive=true&limit=1") == [("A1", "3")]


async def test_how_full_it_is_counts_all_that_lies_inside(
    client, caller, make_location, make_item, move
):
    main = await make_location("Main", capacity="8")
    zone = await make_location("Cold", "zone", parent="Main", capacity="3")
    empty = await make_location("Empty", "zone", parent="Main", capacity="5")
    await make_location("Open", "zone", parent="Main")
    await make_item("A1")
    await move("receipt", "1.5", location="Main")
    await move("receipt", 2, location="Cold")
    await move("receipt", 1, location="Open")

    async def list_use(query):
        answer = await client.get(f"/api/locations{query}", headers=caller.headers())
        rows = answer.json()["items"]
        return {row["name"]: (row["used"], row["utilisation"]) for row in rows}

    path = f"/api/locations/{main['id']}"
    one = await client.get(path, headers=caller.headers())
    assert (one.json()["used"], one.json()["utilisation"]) == ("4.5", "56.3")
    assert (empty["used"], empty["utilisation"]) == ("0", "0")
    assert zone["used"] == "0"
    assert await list_use("?with_use=true") == {
        "Main": ("4.5", "56.3"), "Cold": ("2", "66.7"), "Empty": ("0", "0"), "Open": ("1", None),
    }  # fmt: skip
    assert set((await list_use("")).values()) == {(None, None)}

    await move("receipt", 5, location="Cold")
    changed = await client.get(
        path, headers=caller.headers(**{"If-None-Match": one.headers["etag"]})
    )
    assert changed.json()["utilisation"] == "118.8"


async def test_a_location_moves_with_all_that_lies_in_it(
    client, caller, make_location, make_item, move
):
    old, new = await make_location("Old"), await make_location("New")
    zone = await make_location("Cold", "zone", parent="Old")
    await make_location("B1", "bin", parent="Cold")
    await make_item("A1")
    await move("receipt", 2, location="B1")

    moved = await client.patch(
        f"/api/locations/{zone['id']}", json={"parent": "new"}, headers=caller.headers()
    )

    assert moved.json()["parent_id"] == new["id"]
    for place, used in ((old, "0"), (new, "2")):
        now = await client.get(f"/api/locations/{place['id']}", headers=caller.headers())
        assert now.json()["used"] == used


async def test_a_location_goes_only_where_it_fits(client, caller, make_location):
    main = await make_location("Main")
    zone = await make_location("Cold", "zone", parent="Main")
    bin_ = await make_location("B1", "bin", parent="Cold")

    async def put(location, parent):
        return await client.patch(
            f"/api/locations/{location['id']}", json={"parent": parent}, headers=caller.headers()
        )

    assert_problem(await put(zone, None), LocationMisplaced)
    assert_problem(await put(main, "Cold"), LocationMisplaced)
    assert_problem(await put(zone, "B1"), LocationMisplaced)
    assert_problem(await put(bin_, "Nowhere"), LocationNotFound, location="Nowhere")
    assert (await put(bin_, "Main")).json()["parent_id"] == main["id"]
    assert (await put(main, None)).json()["parent_id"] is None


async def test_one_never_used_is_removed_one_with_a_history_retired(
    client, caller, make_location, make_item, move
):
    used, unused = await make_location("Main"), await make_location("Spare")
    await make_item("A1")
    await move("receipt", 1)

    async def retire(location):
        return await client.delete(f"/api/locations/{location['id']}", headers=caller.headers())

    async def list_names(query=""):
        listed = await client.get(f"/api/locations{query}", headers=caller.headers())
        return [location["name"] for location in listed.json()["items"]]

    assert_problem(await retire(used), LocationInUse, location="Main")
    await move("issue", 1)
    assert (await retire(used)).status_code == (await retire(unused)).status_code == 204
    assert (await retire(used)).status_code == 204
    assert_problem(await retire(unused), LocationNotFound)
    assert await list_names() == []
    assert await list_names("?active=false") == ["Main"]

    body = {"kind": "receipt", "item": "A1", "location": "Main", "quantity": "1"}
    path = "/api/inventory/movements"
    arrival = await client.post(path, json=body, headers=caller.headers())
    assert_problem(arrival, LocationRetired, location="Main")
    history = await client.get(f"{path}?location=Main", headers=caller.headers())
    assert len(history.json()["items"]) == 2

    await client.patch(
        f"/api/locations/{used['id']}", json={"active": True}, headers=caller.headers()
    )
    assert await list_names() == ["Main"]
    assert (await move("receipt", 1)).status_code == 201


async def test_a_retired_one_is_no_place_to_transfer_to_nor_to_put_another_into(
    client, caller, make_location, make_item, move
):
    await make_location("Main")
    hall = await make_location("Hall")
    zone = await make_location("Cold", "zone", parent="Hall")
    await make_item("A1")
    await move("receipt", 2)
    await move("receipt", 1, location="Cold")
    await move("issue", 1, location="Cold")

    async def ask(method, path, **body):
        return await client.request(
            method, f"/api/locations{path}", json=body or None, headers=caller.headers()
        )

    assert_problem(await ask("DELETE", f"/{hall['id']}"), LocationInUse, location="Hall")
    assert (await ask("DELETE", f"/{zone['id']}")).status_code == 204
    assert (await ask("DELETE", f"/{hall['id']}")).status_code == 204

    transfer = await move("transfer", 1, to_location="Cold")
    assert_problem(transfer, LocationRetired, location="Cold")
    put_in = await ask("POST", "", name="New", type="zone", parent="Hall")
    assert_problem(put_in, LocationRetired, location="Hall")
    back = await ask("PATCH", f"/{zone['id']}", active=True)
    assert_problem(back, LocationRetired, location="Hall")
    assert (await ask("PATCH", f"/{zone['id']}", active=True, parent="Main")).json()["active"]
