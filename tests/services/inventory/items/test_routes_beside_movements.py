"""What depends on an item's stock and what moves it take turns: each pair, at once, many times."""

import asyncio
from contextlib import asynccontextmanager

import asyncpg
import pytest

from services.inventory.items.errors import ItemInStock, ItemRetired, ItemUnitInUse
from tests.support.services import assert_problem
from tests.support.waiting import until_blocked_by

pytestmark = pytest.mark.stack

TRIES = 20


@pytest.fixture(autouse=True)
async def places(make_location):
    await make_location("Main")
    await make_location("Shop")


@pytest.fixture
def retire(client, caller):
    async def delete(item):
        return await client.delete(f"/api/inventory/{item['id']}", headers=caller.headers())

    return delete


@pytest.fixture
def change_unit(client, caller):
    async def patch(item, unit):
        path = f"/api/inventory/{item['id']}"
        return await client.patch(path, json={"unit": unit}, headers=caller.headers())

    return patch


async def stock_of_retired(databases, caller):
    connection = await asyncpg.connect(databases.superuser_dsn)
    found = await connection.fetch(
        "SELECT code, on_hand FROM inventory.levels v JOIN inventory.items i ON i.id = v.item_id"
        " WHERE i.tenant_id = $1 AND NOT i.active AND v.on_hand > 0",
        caller.tenant_id,
    )
    await connection.close()
    return [tuple(row) for row in found]


async def test_a_receipt_waits_for_a_retirement_and_then_knows_of_it(
    databases, other, make_item, move
):
    item = await make_item("A1")
    async with other.transaction():
        await other.execute("SELECT FROM inventory.items WHERE id = $1 FOR UPDATE", item["id"])
        receipt = asyncio.create_task(move("receipt", 1))
        await until_blocked_by(databases, other)
        await other.execute("UPDATE inventory.items SET active = false WHERE id = $1", item["id"])

    assert_problem(await receipt, ItemRetired)


async def test_a_retirement_waits_for_a_movement_and_then_knows_of_it(
    databases, other, make_item, move, retire
):
    item = await make_item("A1")
    async with moving(other, item, make_item, move):
        retired = asyncio.create_task(retire(item))
        await until_blocked_by(databases, other)

    assert_problem(await retired, ItemInStock)


async def test_a_change_of_unit_waits_for_a_movement_and_then_knows_of_it(
    databases, other, make_item, move, change_unit
):
    item = await make_item("A1")
    async with moving(other, item, make_item, move):
        changed = asyncio.create_task(change_unit(item, "g"))
        await until_blocked_by(databases, other)

    assert_problem(await changed, ItemUnitInUse)


@asynccontextmanager
async def moving(connection, item, make_item, move):
    """Hold an item as a movement does while the block lasts, then give it stock and a history."""
    like = await make_item("B1")
    await move("receipt", 1, item="B1")
    async with connection.transaction():
        await connection.execute(
            "SELECT FROM inventory.items WHERE id = $1 FOR KEY SHARE", item["id"]
        )
        yield
        for table in ("levels", "movements"):
            await _copy_rows(connection, table, like["id"], item["id"])


async def _copy_rows(connection, table, from_id, to_id):
    columns = await connection.fetchval(
        "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
        " WHERE table_schema = 'inventory' AND table_name = $1 AND column_name <> 'item_id'",
        table,
    )
    await connection.execute(
        f"INSERT INTO inventory.{table} (item_id, {columns})"  # noqa: S608 - our own names.
        f" SELECT $2, {columns} FROM inventory.{table} WHERE item_id = $1",
        *(from_id, to_id),
    )


async def test_no_receipt_reaches_a_retired_item(databases, caller, make_item, move, retire):
    for number in range(TRIES):
        item = await make_item(f"R{number}")
        receipts = [move("receipt", 1, item=item["code"]) for _ in range(3)]
        # The retirement comes at another place in the crowd each time.
        receipts.insert(number % 4, retire(item))

        answers = await asyncio.gather(*receipts)

        retired = answers.pop(number % 4)
        if retired.status_code == 204:
            for answer in answers:
                assert_problem(answer, ItemRetired)
        else:
            assert_problem(retired, ItemInStock)
            assert 201 in {answer.status_code for answer in answers}

    assert await stock_of_retired(databases, caller) == []


async def test_no_transfer_reaches_a_retired_item(databases, caller, make_item, move, retire):
    for number in range(TRIES):
        item = await make_item(f"T{number}")
        await move("receipt", 2, item=item["code"])
        transfer = move("transfer", 2, item=item["code"], to_location="Shop")

        moved, retired = await asyncio.gather(transfer, retire(item))

        assert moved.status_code == 201
        assert_problem(retired, ItemInStock, on_hand="2")

    assert await stock_of_retired(databases, caller) == []


async def test_an_item_is_retired_when_its_last_unit_leaves_or_not_at_all(
    databases, caller, make_item, move, retire
):
    for number in range(TRIES):
        item = await make_item(f"L{number}")
        await move("receipt", 1, item=item["code"])

        issued, retired, received = await asyncio.gather(
            move("issue", 1, item=item["code"]),
            retire(item),
            move("receipt", 1, item=item["code"]),
        )

        assert issued.status_code == 201
        assert {retired.status_code, received.status_code} in ({204, 409}, {409, 201})

    assert await stock_of_retired(databases, caller) == []


async def test_a_unit_does_not_change_under_a_first_receipt(
    client, caller, make_item, move, change_unit
):
    for number in range(TRIES):
        item = await make_item(f"U{number}", unit="kg")

        receipt, change = move("receipt", 1, item=item["code"]), change_unit(item, "g")
        if number % 2:
            received, changed = await asyncio.gather(receipt, change)
        else:
            changed, received = await asyncio.gather(change, receipt)

        assert received.status_code == 201
        if changed.status_code != 200:
            assert_problem(changed, ItemUnitInUse, item=item["code"], unit="kg")
        assert_problem(await change_unit(item, "lb"), ItemUnitInUse)


async def test_a_unit_stays_once_there_is_a_history_but_other_fields_change(
    make_item, move, change_unit, client, caller
):
    item = await make_item("A1", unit="kg")
    await move("receipt", 1)
    await move("issue", 1)
    path = f"/api/inventory/{item['id']}"

    same = await change_unit(item, "kg")
    other = await change_unit(item, "g")
    whole = await client.put(
        path, json={"code": "A1", "name": "x", "unit": "g"}, headers=caller.headers()
    )
    pack = await client.patch(path, json={"pack_size": 6}, headers=caller.headers())

    assert same.status_code == 200
    assert_problem(other, ItemUnitInUse, item="A1", unit="kg")
    assert_problem(whole, ItemUnitInUse)
    assert pack.json()["pack_size"] == "6"


async def test_an_ordinary_edit_and_movements_do_not_wait_for_each_other(
    client, caller, databases, make_item, move
):
    """Whoever holds an item for an edit, movements of it go on."""
    item = await make_item("A1")
    await move("receipt", 1)
    connection = await asyncpg.connect(databases.superuser_dsn)
    async with connection.transaction():
        await connection.execute(
            "SELECT FROM inventory.items WHERE id = $1 FOR NO KEY UPDATE", item["id"]
        )

        moved = await move("issue", 1)

    await connection.close()
    assert moved.status_code == 201
