"""Attributes of items and the schemas of their categories, over HTTP."""

import asyncio

import pytest

from services.inventory.attributes.errors import (
    AttributeSchemaInvalid,
    AttributesInvalid,
    ItemsBreakSchema,
)
from shared.errors import ValidationFailed
from tests.support.services import assert_problem
from tests.support.waiting import until_blocked_by

pytestmark = pytest.mark.stack

SCHEMA = {"properties": {"weight_g": {"type": "number", "minimum": 0}}, "required": ["weight_g"]}


@pytest.fixture
def send(client, caller):
    async def request(method, path, body=None, **headers):
        return await client.request(
            method, f"/api/{path}", json=body, headers=caller.headers(**headers)
        )

    return request


@pytest.fixture
async def category(send):
    body = {"name": "Pasta", "attribute_schema": SCHEMA}
    return (await send("POST", "categories", body)).json()


async def test_attributes_are_kept_merged_and_taken_away(make_item, send):
    given = {"colour": " rouge\u0301 ", "weight_g": 0.07, "tags": ["a", 12], "gone": None}
    item = await make_item(attributes=given)
    assert item["attributes"] == {"colour": "rougé", "weight_g": 0.07, "tags": ["a", 12]}

    path = f"inventory/{item['id']}"
    changed = await send("PATCH", path, {"attributes": {"colour": "blue", "tags": None}})
    replaced = await send("PUT", path, {"code": "A1", "name": "A", "attributes": {"a": 1e3}})

    assert changed.json()["attributes"] == {"colour": "blue", "weight_g": 0.07}
    assert replaced.json()["attributes"] == {"a": 1000}


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"a": "x\u0007"}, "control_characters"),
        ({"a": 1234567890.1234567}, "number_too_long"),
        ({"a": 10**30}, "number_too_long"),
        ({"a": [[[[[1]]]]]}, "object_too_deep"),
        ({"a": "x" * 17_000}, "object_too_large"),
        ({f"a{n}": 1 for n in range(101)}, "too_long"),
        ([1], "dict_type"),
    ],
)
async def test_attributes_are_bounded(send, attributes, code):
    body = {"code": "A1", "name": "A", "attributes": attributes}

    response = await send("POST", "inventory", body)

    assert_problem(response, ValidationFailed)
    assert [error["code"] for error in response.json()["errors"]] == [code]


async def test_a_category_says_what_its_items_have(send, category, make_item):
    body = {"code": "A1", "name": "A", "category": "Pasta", "attributes": {"weight_g": -1}}

    refused = await send("POST", "inventory", body, **{"Accept-Language": "fr"})
    missing = await send("POST", "inventory", body | {"attributes": {}})
    made = await make_item("A1", category="Pasta", attributes={"weight_g": 500})
    free = await make_item("B1")
    path = f"inventory/{made['id']}"
    taken = await send("PATCH", path, {"attributes": {"weight_g": None}})
    moved = await send("PATCH", f"inventory/{free['id']}", {"category": "Pasta"})
    renamed = await send("PATCH", path, {"name": "Other"})

    assert_problem(refused, AttributesInvalid, category="Pasta")
    (error,) = refused.json()["errors"]
    assert (error["path"], error["code"]) == ("attributes.weight_g", "greater_than_equal")
    assert "au moins 0" in error["message"] or "moins" in error["message"]
    assert missing.json()["errors"][0]["code"] == "missing"
    assert_problem(taken, AttributesInvalid)
    assert_problem(moved, AttributesInvalid)
    assert renamed.status_code == 200


async def test_the_nearest_schema_above_holds(send, category, make_item):
    below = {"name": "Long", "parent": category["id"]}
    long = (await send("POST", "categories", below)).json()
    assert long["attribute_schema"] is None
    body = {"code": "A1", "name": "A", "category": long["id"]}
    assert_problem(await send("POST", "inventory", body), AttributesInvalid, category="Pasta")

    own = await send("PATCH", f"categories/{long['id']}", {"attribute_schema": {}})

    assert own.json()["attribute_schema"] == {}
    assert (await send("POST", "inventory", body)).status_code == 201
    # Without its own again, that of above would hold for the item.
    without = await send("PATCH", f"categories/{long['id']}", {"attribute_schema": None})
    assert_problem(without, ItemsBreakSchema, breaking=1, items=["A1"])


async def test_a_schema_that_items_break_is_refused(send, make_item):
    await make_item("A1", category="Tea", attributes={"weight_g": 100})
    item = await make_item("B1", category="Tea")
    await send("DELETE", f"inventory/{item['id']}")
    path = f"categories/{item['category_id']}"

    refused = await send("PATCH", path, {"attribute_schema": SCHEMA})
    await send("PATCH", f"inventory/{item['id']}", {"attributes": {"weight_g": 1}})
    accepted = await send("PATCH", path, {"attribute_schema": SCHEMA})

    assert_problem(refused, ItemsBreakSchema, breaking=1, items=["B1"])
    assert accepted.json()["attribute_schema"] == SCHEMA
    assert (await send("GET", path)).json()["version"] == item["version"] + 1


async def test_a_move_below_a_schema_that_items_break_is_refused(send, category, make_item):
    item = await make_item("A1", category="Tea")

    moved = await send("PATCH", f"categories/{item['category_id']}", {"parent": "Pasta"})

    assert_problem(moved, ItemsBreakSchema, items=["A1"])


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_schema_that_could_run_away_is_refused(send, category, method):
    schema = {"properties": {"a": {"$ref": "#"}}}
    path = "categories" if method == "POST" else f"categories/{category['id']}"
    body = {"attribute_schema": schema} | ({"name": "New"} if method == "POST" else {})

    response = await send(method, path, body)

    assert_problem(response, AttributeSchemaInvalid, part="properties.a.$ref")


async def test_a_save_waits_for_a_change_of_the_schema_and_then_knows_of_it(
    databases, other, caller, send, category
):
    path = f"categories/{category['id']}"
    body = {"code": "A1", "name": "A", "category": "Pasta", "attributes": {"weight_g": 1}}
    async with other.transaction():
        # As a change of the schema holds it, in this tenant.
        await other.execute(
            "SELECT inventory.wait_lock('categories ' || $1)",
            str(caller.tenant_id),
        )
        saved = asyncio.create_task(send("POST", "inventory", body))
        await until_blocked_by(databases, other)
        await other.execute(
            "UPDATE inventory.categories SET attribute_schema = $2 WHERE id = $1",
            *(category["id"], '{"required": ["colour"]}'),
        )

    assert_problem(await saved, AttributesInvalid)
    assert (await send("GET", path)).json()["attribute_schema"] == {"required": ["colour"]}


async def test_no_item_slips_past_a_schema_that_is_set_meanwhile(send):
    for number in range(10):
        made = await send("POST", "categories", {"name": f"C{number}"})
        path = f"categories/{made.json()['id']}"
        body = {"code": f"A{number}", "name": "A", "category": f"C{number}"}

        saved, changed = await asyncio.gather(
            send("POST", "inventory", body), send("PATCH", path, {"attribute_schema": SCHEMA})
        )

        assert {saved.status_code, changed.status_code} in ({201, 409}, {422, 200})
