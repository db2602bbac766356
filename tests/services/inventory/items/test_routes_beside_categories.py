"""An item is put into a category while somebody removes or renames that very category."""

import asyncio

import pytest

from tests.support.waiting import until_blocked_by

pytestmark = pytest.mark.stack


@pytest.fixture
def make_category(client, caller):
    async def make(name):
        body = {"name": name}
        answer = await client.post("/api/categories", json=body, headers=caller.headers())
        assert answer.status_code == 201, answer.text
        return answer.json()

    return make


@pytest.fixture
def send(client, caller):
    async def request(method, path="", **body):
        return await client.request(
            method, f"/api/inventory{path}", json=body, headers=caller.headers()
        )

    return request


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_name_removed_meanwhile_is_a_new_category(
    databases, other, make_category, make_item, send, method
):
    """A name says what is meant whether or not it is there: nothing is refused."""
    gone = await make_category("Pasta")
    item = await make_item("A1")
    path = "" if method == "POST" else f"/{item['id']}"
    body = {"category": "Pasta"} | ({} if method == "PATCH" else {"code": "B1", "name": "B"})
    async with other.transaction():
        await other.execute("DELETE FROM inventory.categories WHERE id = $1", gone["id"])
        saving = asyncio.create_task(send(method, path, **body))
        await until_blocked_by(databases, other)

    answer = await saving

    assert answer.status_code in {200, 201}, answer.text
    assert answer.json()["category"] == "Pasta"
    assert answer.json()["category_id"] != gone["id"]


async def test_renaming_a_category_and_saving_its_items_do_not_block_each_other(
    client, caller, make_category, make_item, send
):
    category = await make_category("Pasta 0")
    item = await make_item("A1", category="Pasta 0")

    async def rename(number):
        path, body = f"/api/categories/{category['id']}", {"name": f"Pasta {number}"}
        return await client.patch(path, json=body, headers=caller.headers())

    for number in range(1, 21):
        answers = await asyncio.gather(
            rename(number),
            send("PATCH", f"/{item['id']}", category=f"Pasta {number - 1}"),
            send("PUT", f"/{item['id']}", code="A1", name="A", category=category["id"]),
        )
        assert {answer.status_code for answer in answers} == {200}


async def test_an_item_that_is_saved_holds_its_category_before_itself(
    databases, other, caller, make_category, make_item, send
):
    """Else it waits for the category, while who renames that waits for the item."""
    await make_category("Pasta")
    item = await make_item("A1", category="Pasta")

    async with other.transaction():
        tree = f"categories {caller.tenant_id}"
        await other.execute("SELECT inventory.wait_lock($1)", tree)
        saving = asyncio.create_task(send("PATCH", f"/{item['id']}", code="A2"))
        await until_blocked_by(databases, other)
        row = "SELECT FROM inventory.items WHERE id = $1 FOR NO KEY UPDATE NOWAIT"
        await other.execute(row, item["id"])

    assert (await saving).status_code == 200


async def test_who_renames_a_category_waits_for_items_that_are_saved(
    databases, other, client, caller, make_category
):
    category = await make_category("Pasta")
    path = f"/api/categories/{category['id']}"

    async with other.transaction():
        tree = f"categories {caller.tenant_id}"
        await other.execute("SELECT inventory.wait_lock_shared($1)", tree)
        body, headers = {"name": "Noodles"}, caller.headers()
        renaming = asyncio.create_task(client.patch(path, json=body, headers=headers))
        await until_blocked_by(databases, other)
        row = "SELECT FROM inventory.categories WHERE id = $1 FOR UPDATE NOWAIT"
        await other.execute(row, category["id"])

    assert (await renaming).status_code == 200
