"""Codes, barcodes and ids of a tenant share one space: none names two items."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from services.inventory.items.errors import BarcodeTaken, ItemCodeTaken, ItemIdNeeded, ItemNotFound
from shared.errors import NotFound
from shared.identifiers import IdNeeded
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack


@pytest.fixture
def add(client, caller):
    async def post(code, *barcodes, by=caller):
        body = {"code": code, "name": "x", "barcodes": list(barcodes)}
        return await client.post("/api/inventory", json=body, headers=by.headers())

    return post


@pytest.fixture
def look_up(client, caller):
    async def get(code):
        return await client.get(
            "/api/inventory/lookup", params={"code": code}, headers=caller.headers()
        )

    return get


async def test_a_code_is_shown_as_typed_and_found_however_it_is_written(add, look_up):
    added = await add("1/2  Elbow #40 ½")

    assert added.json()["code"] == "1/2 Elbow #40 ½"
    for text in ("1/2 Elbow #40 ½", "1/2 ELBOW #40 1\u20442", "\uff11/2 elbow\u00a0#40 ½"):
        assert (await look_up(text)).json()["id"] == added.json()["id"], text
    assert (await look_up(added.json()["id"])).json()["code"] == "1/2 Elbow #40 ½"
    assert_problem(await look_up("1/2 Elbow"), ItemNotFound, item="1/2 Elbow")


async def test_what_names_an_item_names_no_other_in_whichever_order(add):
    await add("Abc", "111")

    assert_problem(await add("ABC"), ItemCodeTaken, asked="ABC", item="Abc")
    assert_problem(await add("111"), ItemCodeTaken, asked="111", item="Abc")
    assert_problem(await add("X", "111"), BarcodeTaken, barcode="111", item="Abc")
    assert_problem(await add("X", "222", "aBC"), BarcodeTaken, barcode="aBC", item="Abc")
    assert (await add("X", "222")).status_code == 201
    assert (await add("Abc", "111", by=Caller())).status_code == 201


async def test_an_item_may_have_its_code_on_its_label(client, caller, add):
    added = (await add("Abc-1", "ABC-1", "abc-1", "9")).json()

    read = await client.get(f"/api/inventory/{added['id']}", headers=caller.headers())

    assert read.json()["barcodes"] == ["9", "ABC-1"]


async def test_a_code_may_be_changed_alone(client, caller, add, look_up):
    item = (await add("Old", "111")).json()
    await add("Other")
    path = f"/api/inventory/{item['id']}"

    taken = await client.patch(path, json={"code": "OTHER"}, headers=caller.headers())
    renamed = await client.patch(path, json={"code": "New"}, headers=caller.headers())

    assert_problem(taken, ItemCodeTaken, item="Other")
    assert (renamed.json()["code"], renamed.json()["barcodes"]) == ("New", ["111"])
    assert (await look_up("old")).status_code == ItemNotFound.status
    assert (await look_up("new")).json()["id"] == item["id"]


async def test_a_code_may_become_what_the_label_says(client, caller, add, look_up):
    item = (await add("Old", "111", "222")).json()
    path = f"/api/inventory/{item['id']}"

    renamed = await client.patch(path, json={"code": "111"}, headers=caller.headers())

    assert (renamed.json()["code"], renamed.json()["barcodes"]) == ("111", ["111", "222"])
    assert (await look_up("old")).status_code == ItemNotFound.status
    assert (await look_up("111")).json()["id"] == item["id"]


async def test_an_item_that_lost_its_key_keeps_its_texts_and_gets_another(
    client, caller, databases, add, look_up
):
    """As the migration leaves an item whose names were another's: it is reached by its id."""
    item = (await add("Later", "111")).json()
    path = f"/api/inventory/{item['id']}"
    connection = await asyncpg.connect(databases.superuser_dsn)
    await connection.execute(
        "UPDATE inventory.identifiers SET key = key || chr(31) || item_id WHERE item_id = $1",
        item["id"],
    )
    await connection.close()

    lost = await look_up("Later")
    edited = await client.patch(path, json={"par_level": 2}, headers=caller.headers())
    renamed = await client.patch(
        path, json={"code": "Mine", "barcodes": ["111"]}, headers=caller.headers()
    )

    assert lost.status_code == ItemNotFound.status
    assert (edited.json()["code"], edited.json()["barcodes"]) == ("Later", ["111"])
    assert (renamed.json()["code"], renamed.json()["barcodes"]) == ("Mine", ["111"])
    for name in ("mine", "111"):
        assert (await look_up(name)).json()["id"] == item["id"]


@pytest.mark.parametrize("kind", ["code", "barcode"])
async def test_of_many_at_once_one_gets_the_name(add, kind):
    async def wish(number):
        if kind == "code":
            return await add("Wanted" if number % 2 else "WANTED")
        return await add(f"I{number}", "wanted")

    answers = await asyncio.gather(*(wish(number) for number in range(5)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 4


async def test_labels_that_cross_over_leave_each_with_one_item(client, caller, add, look_up):
    for _ in range(5):
        names = [str(uuid4())[:8] for _ in range(2)]
        ids = [(await add(f"I{name}", name)).json()["id"] for name in names]

        answers = await asyncio.gather(
            *(
                client.patch(
                    f"/api/inventory/{item_id}",
                    json={"barcodes": [name]},
                    headers=caller.headers(),
                )
                for item_id, name in zip(ids, reversed(names), strict=True)
            )
        )

        assert {answer.status_code for answer in answers} <= {200, 409, 503}
        found = [await look_up(name) for name in names]
        assert {answer.status_code for answer in found} <= {200, 404}


async def test_a_barcode_given_up_is_free(client, caller, add):
    first = (await add("A", "111", "112")).json()

    changed = await client.patch(
        f"/api/inventory/{first['id']}", json={"barcodes": ["112"]}, headers=caller.headers()
    )

    assert changed.json()["barcodes"] == ["112"]
    assert (await add("B", "111")).status_code == 201


async def test_a_whole_item_may_get_a_new_code_if_it_is_free(client, caller, add, look_up):
    first = (await add("Old", "111")).json()
    await add("Other")
    path = f"/api/inventory/{first['id']}"

    taken = await client.put(path, json={"code": "OTHER", "name": "x"}, headers=caller.headers())
    renamed = await client.put(path, json={"code": "New", "name": "x"}, headers=caller.headers())

    assert_problem(taken, ItemCodeTaken, asked="OTHER", item="Other")
    assert (renamed.json()["code"], renamed.json()["barcodes"]) == ("New", [])
    assert (await look_up("new")).json()["id"] == first["id"]
    assert (await look_up("Old")).status_code == ItemNotFound.status
    assert (await add("Old", "111")).status_code == 201


async def test_a_code_may_change_its_look_alone(client, caller, add):
    first = (await add("abc")).json()

    renamed = await client.put(
        f"/api/inventory/{first['id']}", json={"code": "ABC", "name": "x"}, headers=caller.headers()
    )

    assert renamed.json()["code"] == "ABC"


async def test_many_codes_are_looked_up_at_once_each_with_its_own_result(client, caller, add):
    ids = [(await add(code, *labels)).json()["id"] for code, *labels in (["a/b", "111"], ["C"])]

    answer = await client.post(
        "/api/inventory/lookup",
        json={"codes": ["c", "none", "A/B", "111", ids[0], str(uuid4())]},
        headers=caller.headers(),
    )

    results = answer.json()["results"]
    assert [result["code"] for result in results][:2] == ["c", "none"]
    assert [result["found"] for result in results] == [True, False, True, True, True, False]
    assert [result["item"] and result["item"]["id"] for result in results] == [
        ids[1], None, ids[0], ids[0], ids[0], None,
    ]  # fmt: skip


@pytest.mark.parametrize("codes", [[], ["x"] * 201, [""], "x"])
async def test_a_look_up_of_many_has_bounds(client, caller, codes):
    answer = await client.post(
        "/api/inventory/lookup", json={"codes": codes}, headers=caller.headers()
    )

    assert answer.status_code == 422


async def test_a_path_with_a_code_in_place_of_an_id_says_where_the_id_is_found(
    client, caller, make_item
):
    item = await make_item("ELBOW #40")

    async def get(path, **more):
        return await client.get(f"/api/inventory/{path}", headers=caller.headers(**more))

    for path in ("ELBOW%20%2340", "ELBOW%20%2340/stock", "ELBOW%20%2340/lots"):
        refused = await get(path)
        assert_problem(refused, ItemIdNeeded, parameter="item_id", given="ELBOW #40")
    found = await client.get(refused.json()["look_up"], headers=caller.headers())
    french = await get("ELBOW%20%2340?lang=fr")

    assert found.json()["id"] == item["id"]
    assert refused.json()["look_up"] in refused.json()["detail"]
    assert refused.json()["look_up"] in french.json()["detail"]
    assert_problem(await get("freezes/nothing"), IdNeeded, parameter="freeze_id", given="nothing")
    assert_problem(await get("nothing/here/at/all"), NotFound)
