import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from services.inventory.ledger.queries.lock import KEPT, LOCK, NO_LOT, lock
from services.inventory.ledger.rules import Reference, item_reference, place_reference

pytestmark = pytest.mark.stack

ROWS = 1500
# What a look-up must be by; by the tenant alone it would read all that the tenant has.
KEYS = {
    "levels": "item_id",
    "items": r"\bid =",
    "identifiers": "key",
    "locations": r"\bid =|name_key",
    "idempotency_keys": r"\bkey =",
}


@pytest.fixture
async def connection(databases) -> AsyncIterator[asyncpg.Connection]:
    """As the service, in a tenant of its own with many rows that nobody has counted yet."""
    opened = await asyncpg.connect(databases.dsn("inventory_app"))
    await opened.execute("SELECT set_config('app.tenant', $1, false)", str(uuid4()))
    await opened.execute(
        "INSERT INTO items (id, code, name_en, name_fr, unit, search_text, created_at, updated_at)"
        " SELECT gen_random_uuid(), 'I' || n, '', '', 'each', '', now(), now()"
        " FROM generate_series(1, $1) n",
        ROWS,
    )
    await opened.execute(
        "INSERT INTO identifiers (key, item_id, is_code) SELECT lower(code), id, true FROM items"
    )
    await opened.execute(
        "INSERT INTO locations (id, name, name_key, type, created_at, updated_at)"
        " SELECT gen_random_uuid(), 'L' || n, 'l' || n, 'warehouse', now(), now()"
        " FROM generate_series(1, $1) n",
        ROWS,
    )
    await opened.execute(
        "INSERT INTO levels (item_id, location_id, on_hand)"
        " SELECT i.id, l.id, 10 FROM items i JOIN locations l ON l.name = 'L1'"
    )
    await opened.execute(
        "INSERT INTO idempotency_keys (actor, key, fingerprint)"
        " SELECT 'user:1', 'old' || n, 'f' FROM generate_series(1, $1) n",
        ROWS,
    )
    yield opened
    await opened.close()


def named(number: int) -> tuple[Reference, Reference]:
    return item_reference(f"I{number}"), place_reference("L1")


@pytest.fixture
async def small_tenants(databases) -> None:
    """Many others, who have a row each: by its statistics a tenant is as good as a key."""
    owner = await asyncpg.connect(databases.dsn("stock_owner"))
    await owner.execute(
        "INSERT INTO inventory.locations (id, tenant_id, name, name_key, type, created_at,"
        " updated_at) SELECT gen_random_uuid(), gen_random_uuid(), 'L', 'l', 'warehouse', now(),"
        " now() FROM generate_series(1, 300)"
    )
    await owner.execute(
        "INSERT INTO inventory.items (id, tenant_id, code, name_en, unit, search_text, created_at,"
        " updated_at) SELECT gen_random_uuid(), gen_random_uuid(), 'I', '', 'each', '', now(),"
        " now() FROM generate_series(1, 300)"
    )
    await owner.execute("ANALYZE inventory.items, inventory.locations, inventory.levels")
    await owner.close()


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
async def test_no_step_of_locking_reads_more_than_its_row(small_tenants, connection, size, mode):
    await connection.execute(f"SET plan_cache_mode = {mode}")
    pairs = [named(n + 1) for n in range(size)]
    columns = zip(*((i.id, i.key, p.id, p.key) for i, p in pairs), strict=True)

    read = await scans(connection, LOCK, range(size), *columns, NO_LOT)

    assert {table for table, _ in read} == {"identifiers", "items", "locations", "levels"}
    assert_by_keys(read)


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
async def test_a_key_is_looked_up_by_itself(connection, mode):
    await connection.execute(f"SET plan_cache_mode = {mode}")

    read = await scans(connection, KEPT, ["user:1"], ["old1"])

    assert {table for table, _ in read} == {"idempotency_keys"}
    assert_by_keys(read)


async def test_each_item_and_place_is_found_and_locked_once(connection):
    item, place = named(1)
    by_id = item_reference(str(await connection.fetchval("SELECT id FROM items WHERE code = 'I1'")))

    async with connection.transaction():
        locked = await lock(connection, [(item, place), (by_id, place), named(2)])

    assert locked.spots[item, place] == locked.spots[by_id, place]
    assert locked.spots[item, place].code == "I1"
    assert [balance.on_hand for balance in locked.balances.values()] == [10, 10]
    assert locked.missing == []


async def test_what_is_not_there_is_found_missing(connection):
    pairs = [
        (item_reference("I1"), place_reference("L2")),
        (item_reference("NONE"), place_reference("L1")),
        (item_reference("I1"), place_reference("NOWHERE")),
    ]

    async with connection.transaction():
        locked = await lock(connection, pairs)

    spots = [locked.spots[pair] for pair in pairs]
    assert [(spot.code, spot.place) for spot in spots] == [
        ("I1", "L2"), (None, "L1"), ("I1", None),
    ]  # fmt: skip
    assert locked.missing == [(spots[0].item_id, spots[0].place_id, NO_LOT)]


def assert_by_keys(read: list[tuple[str, str]]) -> None:
    for table, condition in read:
        assert re.search(KEYS[table], condition), (table, condition)


async def scans(
    connection: asyncpg.Connection, statement: str, *parameters: Any
) -> list[tuple[str, str]]:
    """The tables that a statement reads, each with the condition by which it finds its rows."""
    plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *parameters)
    return list(_scans(json.loads(plan)[0]["Plan"]))


def _scans(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if node.get("Relation Name") in KEYS and node["Node Type"] != "ModifyTable":
        yield (
            node["Relation Name"],
            node.get("Index Cond", node.get("Recheck Cond", node["Node Type"])),
        )
    for child in node.get("Plans", ()):
        yield from _scans(child)
