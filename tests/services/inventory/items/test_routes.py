import asyncpg
import pytest

from services.inventory.items.errors import BarcodeTaken, ItemCodeTaken, ItemInStock, ItemNotFound
from services.inventory.prices.errors import PriceForbidden
from shared.errors import PreconditionFailed
from shared.pagination import InvalidCursor
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack


async def codes(client, caller, query=""):
    answer = await client.get(f"/api/inventory{query}", headers=caller.headers())
    assert answer.status_code == 200, answer.text
    return [item["code"] for item in answer.json()["items"]]


async def test_an_added_item_is_read_in_the_language_asked_for(client, caller, make_item):
    added = await make_item("P1", {"en": "Pasta", "fr": "Pâtes"}, unit_cost="1.20", pack_size=12)

    english = await client.get(f"/api/inventory/{added['id']}", headers=caller.headers())
    french = await client.get(f"/api/inventory/{added['id']}?lang=fr", headers=caller.headers())

    assert english.json()["name"] == "Pasta"
    assert french.json()["name"] == "Pâtes"
    assert english.json()["unit_cost"] == "1.2"
    assert english.json()["pack_size"] == "12"


async def test_a_code_and_a_barcode_belong_to_one_item(client, caller, make_item):
    await make_item("P1", barcodes=["111"])

    again = {"code": "P1", "name": "x"}
    other = {"code": "P2", "name": "x", "barcodes": ["111"]}
    taken = await client.post("/api/inventory", json=again, headers=caller.headers())
    labelled = await client.post("/api/inventory", json=other, headers=caller.headers())

    assert_problem(taken, ItemCodeTaken, item="P1")
    assert_problem(labelled, BarcodeTaken, barcode="111", item="P1")
    found = await client.get("/api/inventory/lookup/111", headers=caller.headers())
    assert found.json()["code"] == "P1"


async def test_an_edit_of_a_stale_version_is_refused(client, caller, make_item):
    item = await make_item("P1")
    path = f"/api/inventory/{item['id']}"

    first = await client.patch(
        path, json={"reorder_point": 5}, headers=caller.headers(**{"If-Match": '"1"'})
    )
    stale = await client.patch(
        path, json={"reorder_point": 9}, headers=caller.headers(**{"If-Match": '"1"'})
    )
    known = await client.get(
        path, headers=caller.headers(**{"If-None-Match": first.headers["etag"]})
    )

    assert first.json()["reorder_point"] == "5"
    assert first.headers["etag"].startswith('"2-')
    assert_problem(stale, PreconditionFailed)
    assert known.status_code == 304


async def test_a_reader_of_an_item_learns_of_a_receipt(
    client, caller, make_item, make_location, move
):
    await make_location("Main")
    item = await make_item("P1")
    path = f"/api/inventory/{item['id']}"
    first = await client.get(path, headers=caller.headers())
    await move("receipt", 3, item="P1")

    known = caller.headers(**{"If-None-Match": first.headers["etag"]})
    again = await client.get(path, headers=known)

    assert (again.status_code, again.json()["on_hand"]) == (200, "3")


async def test_an_item_in_stock_is_not_retired(client, caller, make_item, make_location, move):
    await make_location("Main")
    item = await make_item("A1")
    await move("receipt", 2)
    path = f"/api/inventory/{item['id']}"

    refused = await client.delete(path, headers=caller.headers())
    await move("issue", 2)
    retired = await client.delete(path, headers=caller.headers())

    assert_problem(refused, ItemInStock, on_hand="2")
    assert retired.status_code == 204
    assert await codes(client, caller) == []
    assert await codes(client, caller, "?active=false") == ["A1"]


async def test_pages_follow_one_another_to_the_end(client, caller, make_item):
    for number in range(5):
        await make_item(f"P{number}", category="even" if number % 2 == 0 else "odd")

    seen, cursor = [], ""
    while cursor is not None:
        query = f"?limit=2{'&cursor=' + cursor if cursor else ''}"
        page = (await client.get(f"/api/inventory{query}", headers=caller.headers())).json()
        seen += [item["code"] for item in page["items"]]
        cursor = page["next_cursor"]

    assert seen == ["P0", "P1", "P2", "P3", "P4"]
    assert await codes(client, caller, "?category=odd") == ["P1", "P3"]
    garbage = await client.get("/api/inventory?cursor=!!", headers=caller.headers())
    assert_problem(garbage, InvalidCursor)


async def test_lists_tell_stock_over_all_locations(client, caller, make_item, make_location, move):
    await make_location("Main")
    await make_location("Shop")
    await make_item("A1", reorder_point=5, par_level=8)
    await make_item("B1", reorder_point=1)
    await move("receipt", 4)
    await move("receipt", 2, location="Shop")
    await move("receipt", 3, item="B1")

    listed = await client.get("/api/inventory", headers=caller.headers())

    assert {i["code"]: i["on_hand"] for i in listed.json()["items"]} == {"A1": "6", "B1": "3"}
    assert await codes(client, caller, "?below_par=true") == ["A1"]
    assert await codes(client, caller, "?location=Shop") == ["A1"]
    assert await codes(client, caller, "/low-stock") == ["A1"]
    assert await codes(client, caller, "/low-stock?below=reorder_point") == []
    await move("issue", 1)
    assert await codes(client, caller, "/low-stock?below=reorder_point") == ["A1"]


async def test_search_forgives_case_accents_and_typos(client, caller, make_item):
    await make_item("P1", {"en": "Spaghetti 500 g", "fr": "Spaghettis 500 g"})
    await make_item("P2", {"en": "Crème brûlée", "fr": "Crème brûlée"})
    stranger = Caller()

    assert await codes(client, caller, "/search?q=SPAGETTI") == ["P1"]
    assert await codes(client, caller, "/search?q=creme brulee") == ["P2"]
    assert await codes(client, caller, "/search?q=zzz") == []
    assert await codes(client, stranger, "/search?q=spaghetti") == []


async def test_prices_are_for_those_who_may(client, caller, make_item):
    item = await make_item("P1", unit_cost="3", price="5")
    clerk = Caller(tenant_id=caller.tenant_id, scopes={"inventory:read", "inventory:write"})

    seen = await client.get(f"/api/inventory/{item['id']}", headers=clerk.headers())
    refused = await client.post(
        "/api/inventory",
        json={"code": "P2", "name": "x", "price": 1},
        headers=clerk.headers(),
    )

    assert (seen.json()["unit_cost"], seen.json()["price"]) == (None, None)
    assert_problem(refused, PriceForbidden)
    assert await codes(client, caller) == ["P1"]


async def test_costs_lie_sealed_in_the_database(client, caller, make_item, databases):
    import asyncpg  # noqa: PLC0415 - for this test alone.

    item = await make_item("P1", unit_cost="918273.645546")
    connection = await asyncpg.connect(databases.superuser_dsn)
    tables = ("prices", "journal", "items", "idempotency_keys")
    texts = [
        str(await connection.fetch(f"SELECT * FROM inventory.{table} t"))  # noqa: S608 - our names.
        for table in tables
    ]
    await connection.close()

    assert item["unit_cost"] == "918273.645546"
    assert not any("918273.64" in text for text in texts)


async def test_stock_of_a_past_moment_is_told(client, caller, make_item, make_location, move):
    await make_location("Main")
    item = await make_item("A1")
    await move("receipt", 10, occurred_at="2025-01-01T12:00:00Z")
    await move("issue", 4, occurred_at="2025-03-01T12:00:00Z")
    path = f"/api/inventory/{item['id']}/stock"

    before = await client.get(f"{path}?as_of=2024-12-31T00:00:00Z", headers=caller.headers())
    between = await client.get(f"{path}?as_of=2025-02-01T00:00:00Z", headers=caller.headers())
    now = await client.get(path, headers=caller.headers())

    assert [a.json()["on_hand"] for a in (before, between, now)] == ["0", "10", "6"]


async def test_what_is_not_there_is_said(client, caller):
    unknown = "/api/inventory/0190b6f0-0000-7000-8000-000000000000"

    assert_problem(await client.get(unknown, headers=caller.headers()), ItemNotFound)
    look = await client.get("/api/inventory/lookup/none", headers=caller.headers())
    assert_problem(look, ItemNotFound, item="none")


async def test_a_broken_seal_hides_one_price_and_says_so(client, caller, databases, make_item):
    item = await make_item("SEALED", unit_cost="2", price="3")
    owner = await asyncpg.connect(databases.superuser_dsn)
    await owner.execute(
        "UPDATE inventory.prices SET amount = set_byte(amount, 20, get_byte(amount, 20) # 1)"
        " WHERE item_id = $1 AND kind = 'price'",
        item["id"],
    )
    await owner.close()

    read = await client.get(f"/api/inventory/{item['id']}", headers=caller.headers())

    assert read.status_code == 200, read.text
    assert (read.json()["unit_cost"], read.json()["price"]) == ("2", None)
    assert read.json()["unreadable"] == ["price"]
