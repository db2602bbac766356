import asyncio
import json
from uuid import uuid4

import pytest

from services.inventory.categories.errors import (
    CategoryAmbiguous,
    CategoryInItself,
    CategoryInUse,
    CategoryNameTaken,
    CategoryNotFound,
)
from shared.errors import MissingScope, PreconditionFailed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack


@pytest.fixture
def send(client, caller):
    async def request(method, path="", by=caller, match=None, **body):
        headers = by.headers(**({"If-Match": match} if match else {}))
        return await client.request(
            method, f"/api/categories{path}", json=body or None, headers=headers
        )

    return request


@pytest.fixture
def make_category(send):
    async def make(name, parent=None):
        body = {"name": name} | ({"parent": parent} if parent else {})
        response = await send("POST", **body)
        assert response.status_code == 201, response.text
        return response.json()

    return make


@pytest.fixture
def codes(client, caller):
    async def listed(query):
        answer = await client.get(f"/api/inventory{query}", headers=caller.headers())
        assert answer.status_code == 200, answer.text
        return [item["code"] for item in answer.json()["items"]]

    return listed


async def test_categories_form_a_tree_with_names_in_both_languages(client, caller, send):
    food = (await send("POST", name={"en": "Food", "fr": "Alimentation"})).json()
    pasta = (await send("POST", name={"en": "Pasta", "fr": "Pâtes"}, parent="ALIMENTATION")).json()
    under_id = (await send("POST", name="Fresh", parent=pasta["id"])).json()

    read = await client.get(f"/api/categories/{pasta['id']}?lang=fr", headers=caller.headers())

    assert food["parent_id"] is None
    assert (pasta["parent_id"], under_id["parent_id"]) == (food["id"], pasta["id"])
    assert (read.json()["name"], read.json()["names"]) == ("Pâtes", {"en": "Pasta", "fr": "Pâtes"})
    assert under_id["names"] == {"en": "Fresh", "fr": "Fresh"}
    assert_problem(await send("POST", name="X", parent="None"), CategoryNotFound, category="None")
    assert_problem(await send("GET", f"/{uuid4()}"), CategoryNotFound)


async def test_siblings_have_different_names_in_each_language(send, make_category):
    food = await make_category({"en": "Food", "fr": "Alimentation"})
    await make_category("Other", food["id"])

    assert_problem(await send("POST", name="FOOD"), CategoryNameTaken, category="FOOD")
    assert_problem(await send("POST", name={"en": "A", "fr": "alimentation"}), CategoryNameTaken)
    assert_problem(await send("POST", name=" other ", parent=food["id"]), CategoryNameTaken)
    assert (await send("POST", name="Other")).status_code == 201
    assert (await send("POST", name="Food", by=Caller())).status_code == 201


async def test_a_rename_is_refused_where_a_sibling_has_the_name_and_only_there(
    send, make_category, make_item
):
    food = await make_category("Food")
    other = await make_category("Other")
    await make_item("A1", category="Other")
    await make_category("Inner", food["id"])

    taken = await send("PATCH", f"/{other['id']}", name="food")
    inside = await send("PATCH", f"/{other['id']}", name="Inner", parent=food["id"])
    moved = await send("PATCH", f"/{other['id']}", name="Food", parent=food["id"])

    assert_problem(taken, CategoryNameTaken, category="food")
    assert_problem(inside, CategoryNameTaken, category="Inner")
    assert (moved.status_code, moved.json()["parent_id"]) == (200, food["id"])


async def test_a_rename_leaves_the_other_language_and_needs_the_present_version(
    send, make_category
):
    category = await make_category({"en": "Food", "fr": "Alimentation"})
    path = f"/{category['id']}"

    renamed = await send("PATCH", path, match='"1"', name={"fr": "Aliments"})
    stale = await send("PATCH", path, match='"1"', name="Meals")
    emptied = await send("PATCH", path, name={"fr": None, "en": "Meals"})

    assert renamed.json()["names"] == {"en": "Food", "fr": "Aliments"}
    assert_problem(stale, PreconditionFailed)
    assert emptied.status_code == 422


async def test_a_category_moves_with_all_that_lies_in_it(
    client, send, caller, make_category, make_item, codes
):
    food, drinks = await make_category("Food"), await make_category("Drinks")
    juice = await make_category("Juice", "Food")
    await make_category("Apple", juice["id"])
    await make_item("A1", category="Apple")

    assert await codes("?category=food") == ["A1"]
    moved = await send("PATCH", f"/{juice['id']}", parent="Drinks")

    assert moved.json()["parent_id"] == drinks["id"]
    assert await codes("?category=food") == []
    assert await codes("?category=drinks") == await codes(f"?category={juice['id']}") == ["A1"]
    top = await client.patch(
        f"/api/categories/{juice['id']}", json={"parent": None}, headers=caller.headers()
    )
    assert top.json()["parent_id"] is None
    assert await codes(f"?category={food['id']}") == []


async def test_a_category_never_lies_in_itself(send, make_category):
    food = await make_category("Food")
    pasta = await make_category("Pasta", "Food")
    fresh = await make_category("Fresh", "Pasta")

    for parent in (food, pasta, fresh):
        answer = await send("PATCH", f"/{food['id']}", parent=parent["id"])
        assert_problem(answer, CategoryInItself)


async def test_moves_at_once_never_close_a_circle(send, make_category, client, caller):
    for number in range(8):
        one, other = await make_category(f"A{number}"), await make_category(f"B{number}")

        answers = await asyncio.gather(
            send("PATCH", f"/{one['id']}", parent=other["id"]),
            send("PATCH", f"/{other['id']}", parent=one["id"]),
        )

        assert sorted(answer.status_code for answer in answers) == [200, 422]


async def test_only_an_unused_category_is_removed(send, make_category, make_item, client, caller):
    food = await make_category("Food")
    pasta = await make_category("Pasta", "Food")
    item = await make_item("A1", category="Pasta")

    assert_problem(await send("DELETE", f"/{food['id']}"), CategoryInUse)
    assert_problem(await send("DELETE", f"/{pasta['id']}"), CategoryInUse)
    path = f"/api/inventory/{item['id']}"
    emptied = await client.patch(path, json={"category": None}, headers=caller.headers())
    assert (emptied.json()["category"], emptied.json()["category_id"]) == (None, None)
    assert (await send("DELETE", f"/{pasta['id']}")).status_code == 204
    assert (await send("DELETE", f"/{food['id']}")).status_code == 204


async def test_nothing_is_put_into_a_category_while_it_is_removed(
    client, caller, send, make_category
):
    for number in range(8):
        category = await make_category(f"C{number}")
        body = {"code": f"I{number}", "name": "x", "category": category["id"]}

        removed, item, child = await asyncio.gather(
            send("DELETE", f"/{category['id']}"),
            client.post("/api/inventory", json=body, headers=caller.headers()),
            send("POST", name=f"D{number}", parent=category["id"]),
        )

        if removed.status_code == 204:
            assert_problem(item, CategoryNotFound)
            assert_problem(child, CategoryNotFound)
        else:
            assert_problem(removed, CategoryInUse)
            assert 201 in {item.status_code, child.status_code}


async def test_an_item_names_its_category_by_name_or_id(client, caller, make_category, make_item):
    pasta = await make_category({"en": "Pasta", "fr": "Pâtes"})

    by_name = await make_item("A1", category="pâtes")
    by_id = await make_item("A2", category=pasta["id"])
    new = await make_item("A3", category="Rice")
    again = await make_item("A4", category="RICE")

    assert by_name["category_id"] == by_id["category_id"] == pasta["id"]
    assert (by_name["category"], new["category"]) == ("Pasta", "Rice")
    assert new["category_id"] == again["category_id"]
    french = await client.get("/api/inventory/lookup/A1?lang=fr", headers=caller.headers())
    assert french.json()["category"] == "Pâtes"
    listed = await client.get("/api/inventory?lang=fr&category=pasta", headers=caller.headers())
    assert [item["category"] for item in listed.json()["items"]] == ["Pâtes", "Pâtes"]


async def test_a_name_in_two_places_is_not_guessed(client, caller, make_category):
    food, tools = await make_category("Food"), await make_category("Tools")
    others = [await make_category("Other", each["id"]) for each in (food, tools)]
    body = {"code": "A1", "name": "x", "category": "Other"}

    answer = await client.post("/api/inventory", json=body, headers=caller.headers())

    assert_problem(answer, CategoryAmbiguous, category="Other")
    assert set(answer.json()["candidates"]) == {each["id"] for each in others}


async def test_a_new_name_that_many_items_bring_at_once_is_one_category(client, caller):
    async def add(number):
        body = {"code": f"A{number}", "name": "x", "category": "New" if number % 2 else "NEW"}
        return await client.post("/api/inventory", json=body, headers=caller.headers())

    answers = await asyncio.gather(*(add(number) for number in range(5)))

    assert [answer.status_code for answer in answers] == [201] * 5
    assert len({answer.json()["category_id"] for answer in answers}) == 1


async def test_pages_follow_one_another_in_the_order_of_the_language(client, caller, make_category):
    for english, french in (("Apple", "Pomme"), ("Bread", "Pain"), ("Cheese", "Fromage")):
        await make_category({"en": english, "fr": french})

    async def names(language):
        seen, cursor = [], ""
        while cursor is not None:
            query = f"?limit=2&lang={language}{'&cursor=' + cursor if cursor else ''}"
            answer = await client.get(f"/api/categories{query}", headers=caller.headers())
            seen += [category["name"] for category in answer.json()["items"]]
            cursor = answer.json()["next_cursor"]
        return seen

    assert await names("en") == ["Apple", "Bread", "Cheese"]
    assert await names("fr") == ["Fromage", "Pain", "Pomme"]


async def test_searches_follow_a_renamed_category(send, make_category, make_item, codes):
    pasta = await make_category("Pasta")
    await make_item("A1", "Fusilli", category="Pasta")

    await send("PATCH", f"/{pasta['id']}", name="Noodles")

    assert await codes("/search?q=noodles") == ["A1"]
    assert await codes("/search?q=pasta") == []


async def test_followers_learn_of_each_item_what_its_renamed_category_is_called(
    databases, send, make_category, make_item
):
    import asyncpg  # noqa: PLC0415 - for this test alone.

    pasta = await make_category("Pasta")
    item = await make_item("A1", "Fusilli", category="Pasta", barcodes=["2", "1"], par_level=3)

    await send("PATCH", f"/{pasta['id']}", name="Noodles")

    connection = await asyncpg.connect(databases.superuser_dsn)
    rows = await connection.fetch(
        "SELECT data FROM inventory.journal WHERE subject = $1 ORDER BY seq", f"item:{item['id']}"
    )
    await connection.close()
    first, second = (json.loads(row["data"]) for row in rows)
    assert (first["category"], second["category"]) == ("Pasta", "Noodles")
    assert {**first, "category": "Noodles", "changed": ["category"]} == second


async def test_readers_read_and_strangers_see_nothing(send, caller, make_category):
    category = await make_category("Food")
    reader = Caller(tenant_id=caller.tenant_id, scopes={"inventory:read"})

    assert (await send("GET", f"/{category['id']}", by=reader)).status_code == 200
    assert (await send("POST", by=reader, name="x")).status_code == MissingScope.status
    assert_problem(await send("GET", f"/{category['id']}", by=Caller()), CategoryNotFound)
    assert (await send("GET", by=Caller())).json()["items"] == []


async def test_each_change_is_journaled(databases, caller, send, make_category):
    import asyncpg  # noqa: PLC0415 - for this test alone.

    category = await make_category({"en": "Food", "fr": "Alimentation"})
    await send("PATCH", f"/{category['id']}", name="Meals")
    await send("DELETE", f"/{category['id']}")

    connection = await asyncpg.connect(databases.superuser_dsn)
    rows = await connection.fetch(
        "SELECT type, data ->> 'name_en', data ->> 'name_fr' FROM inventory.journal"
        " WHERE subject = $1 ORDER BY seq",
        f"category:{category['id']}",
    )
    await connection.close()
    assert [tuple(row) for row in rows] == [
        ("inventory.category-saved.v1", "Food", "Alimentation"),
        ("inventory.category-saved.v1", "Meals", "Alimentation"),
        ("inventory.category-removed.v1", "Meals", "Alimentation"),
    ]


async def test_a_change_of_nothing_changes_nothing(client, caller, make_category):
    category = await make_category("Food")

    answer = await client.patch(
        f"/api/categories/{category['id']}", json={}, headers=caller.headers()
    )

    assert answer.json() == category
