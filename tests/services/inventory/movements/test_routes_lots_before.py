"""Stock of items with lots that is of no lot: it came before, and goes out last."""

import asyncpg
import pytest

pytestmark = pytest.mark.stack


@pytest.fixture
async def item(databases, make_location, make_item, move):
    """One unit of a lot, and five from a time when the item had none."""
    await make_location("Main")
    await make_location("Shop")
    made = await make_item("A1", tracking="lot")
    await move("receipt", 1, lot="L1")
    owner = await asyncpg.connect(databases.superuser_dsn)
    retrack = "UPDATE inventory.items SET tracking = $1 WHERE id = $2"
    await owner.execute(retrack, "none", made["id"])
    await move("receipt", 5)
    await owner.execute(retrack, "lot", made["id"])
    await owner.close()
    return made


@pytest.fixture
def lying(client, caller):
    async def read():
        answer = await client.get("/api/inventory/lookup/A1", headers=caller.headers())
        verified = await client.get("/api/inventory/verify", headers=caller.headers())
        assert verified.json()["ok"], verified.text
        return {(row["location"], row["lot"]): row["on_hand"] for row in answer.json()["stock"]}

    return read


def lots_of(answer):
    assert answer.status_code == 201, answer.text
    return [(row["lot"], row["quantity"]) for row in answer.json()["lots"]]


async def test_what_is_of_no_lot_goes_out_last(item, move, lying):
    assert await lying() == {("Main", "L1"): "1", ("Main", None): "5"}

    assert lots_of(await move("issue", 2)) == [("L1", "1"), (None, "1")]
    assert lots_of(await move("issue", 1)) == [(None, "1")]
    assert await lying() == {("Main", None): "3"}


async def test_what_is_of_no_lot_is_carried_over(item, move, lying):
    moved = await move("transfer", 3, to_location="Shop")

    assert lots_of(moved) == [("L1", "1"), (None, "2")]
    assert await lying() == {("Main", None): "3", ("Shop", "L1"): "1", ("Shop", None): "2"}


async def test_verify_names_a_level_of_no_lot_of_its_item(client, caller, databases, item):
    headers = caller.headers()
    [lot] = (await client.get(f"/api/inventory/{item['id']}/lots", headers=headers)).json()["items"]
    other = await client.post(
        "/api/inventory/add-item", json={"code": "B1", "name": "B1"}, headers=headers
    )
    owner = await asyncpg.connect(databases.superuser_dsn)
    await owner.execute(
        "UPDATE inventory.lots SET item_id = $1 WHERE id = $2", other.json()["id"], lot["id"]
    )
    await owner.close()

    answer = await client.get("/api/inventory/verify", headers=headers)

    [difference] = answer.json()["differences"]
    assert (difference["kind"], difference["item_id"]) == ("level_lot", item["id"])
    assert (difference["lot_id"], difference["found"]) == (lot["id"], "1")
