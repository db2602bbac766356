"""What is told of stock whose hold is over, while nobody has given it back yet: it is free."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from services.inventory.planning.queries import low
from tests.support.database import Databases

pytestmark = pytest.mark.stack

LOOK = "/api/inventory"
HELD = "SELECT sum(reserved) FROM inventory.levels WHERE item_id = ANY($1::uuid[])"


@pytest.fixture
async def items(make_location, make_item, move) -> dict[str, str]:
    """Ten of each of A1, without lots, and L1, with one, lie at Main, and two serials of N1."""
    await make_location("Main")
    ids = {}
    for code, tracking in (("A1", "none"), ("L1", "lot"), ("N1", "serial")):
        planned: dict[str, Any] = {"par_level": "20", "reorder_point": "6"}
        ids[code] = (await make_item(code, tracking=tracking, **planned))["id"]
    for code, more in (("A1", {}), ("L1", {"lot": "LOT"})):
        assert (await move("receipt", 10, item=code, location="Main", **more)).is_success
    found = await move("receipt", None, item="N1", location="Main", serials=["S1", "S2"])
    assert found.is_success
    return ids


@pytest.fixture(autouse=True)
async def half_expired(items, post, let_expire, databases: Databases) -> None:
    """Of each item one hold is over, and not swept, beside one that is good."""
    wanted = [("A1", {"quantity": "3"}, {"quantity": "4"}),
              ("L1", {"quantity": "3"}, {"quantity": "4"}),
              ("N1", {"serials": ["S1"]}, {"serials": ["S2"]})]  # fmt: skip
    for code, ends, stays in wanted:
        for line, is_over in ((stays, False), (ends, True)):
            lines = [{"item": code, "location": "Main"} | line]
            made = await post("", {"lines": lines})
            assert made.status_code == 201, made.text
            if is_over:
                await let_expire(made.json()["id"])
    assert await _held(databases, items) == 16  # As the levels have it.


async def _held(databases: Databases, items: dict[str, str]) -> int:
    connection = await asyncpg.connect(databases.superuser_dsn)
    try:
        return int(await connection.fetchval(HELD, list(items.values())))
    finally:
        await connection.close()


@pytest.fixture
def read(client, caller, items, databases: Databases) -> Any:
    async def get(path: str) -> Any:
        answer = await client.get(f"{LOOK}{path}", headers=caller.headers())
        assert answer.status_code == 200, answer.text
        assert await _held(databases, items) == 16  # Reading gives nothing back.
        return answer.json()

    return get


Read = Callable[[str], Awaitable[Any]]
NUMBERS = {"on_hand": "10", "reserved": "4", "available": "6"}


def numbers(row: dict[str, Any]) -> dict[str, str]:
    return {name: row[name] for name in NUMBERS}


@pytest.mark.parametrize("code", ["A1", "L1"])
async def test_single_items(items, read: Read, code):
    item = items[code]

    assert numbers(await read(f"/{item}")) == NUMBERS
    looked_up = await read(f"/lookup/{code}")
    assert [numbers(looked_up), numbers(looked_up["stock"][0])] == [NUMBERS, NUMBERS]
    assert numbers((await read(f"/{item}/stock"))["stock"][0]) == NUMBERS


async def test_lists_of_items(read: Read):
    for path in ("?limit=10", "/search?q=A1", "/stock"):
        [row, *_] = (await read(path))["items"]
        assert numbers(row) == NUMBERS, path


@pytest.mark.parametrize("many", [0, 5_000])
async def test_items_low_in_stock(read: Read, monkeypatch, many):
    monkeypatch.setattr(low, "MANY_LINES", many)

    for path in ("/low-stock?below=reorder_point", "/low-stock?below=reorder_point&location=Main"):
        rows = {row["code"]: numbers(row) for row in (await read(path))["items"]}
        assert rows["A1"] == NUMBERS, path


async def test_promises(items, read: Read):
    promise = await read(f"/{items['A1']}/promise")

    assert numbers(promise) == NUMBERS
    assert [
        promise["locations"][0]["available"],
        promise["timeline"][0]["available_to_promise"],
    ] == ["6", "6"]
    assert [hold["quantity"] for hold in promise["holds"]] == ["4"]


async def test_lots(items, read: Read):
    [lot] = (await read(f"/{items['L1']}/lots"))["items"]

    assert numbers(lot["stock"][0]) == NUMBERS


async def test_serials(items, read: Read):
    listed = (await read(f"/{items['N1']}/serials"))["items"]

    assert [(each["serial"], each["reserved"]) for each in listed] == [("S1", False), ("S2", True)]
    for serial, is_reserved in (("S1", False), ("S2", True)):
        [named] = (await read(f"/serials/{serial}"))["found"]
        assert named["reserved"] is is_reserved
    assert (await read("/lookup/N1"))["reserved"] == "1"


async def test_kits_count_what_is_free_again(items, client, caller, make_item, read: Read):
    kit = (await make_item("KIT"))["id"]
    body = {"components": [{"item": "A1", "quantity": "2"}]}
    body |= {"item": "KIT"}
    made = await client.post("/api/inventory/kits", json=body, headers=caller.headers())
    assert made.is_success, made.text

    found = await read(f"/kits/{kit}/availability")

    assert found["components"][0]["available"] == "6"


async def test_a_refusal_names_what_is_free_elsewhere(make_location, move):
    await make_location("Annex")

    refused = await move("issue", 1, item="A1", location="Annex")

    assert refused.json()["elsewhere"] == [{"location": "Main", "available": "6"}]


async def test_what_holds_on_beside_it_does_not_make_a_place_the_fullest(make_location, move, post):
    """Six are free at Main and seven at Shop, though ten lie at Main and a hold there is over."""
    await make_location("Shop")
    await move("receipt", 7, item="A1", location="Shop")

    made = await post("", {"lines": [{"item": "A1", "quantity": "7"}]})

    holds = made.json()["lines"][0]["holds"]
    assert [(hold["location"], hold["held"]) for hold in holds] == [("Shop", "7")]
