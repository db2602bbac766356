"""How a page of items is read, whatever the statistics are: as much as it shows, and no more."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from services.inventory.items.queries import listing
from services.inventory.items.schemas import ItemQuery

pytestmark = pytest.mark.stack

ITEMS, CATEGORIES, PAGE = 3000, 400, 50


@pytest.fixture
async def connection(databases) -> AsyncIterator[asyncpg.Connection]:
    """As the service, in a tenant of its own with many items in many categories."""
    opened = await asyncpg.connect(databases.dsn("inventory_app"))
    await opened.execute("SELECT set_config('app.tenant', $1, false)", str(uuid4()))
    await opened.execute(
        "INSERT INTO categories (id, name_en, name_fr, key_en, key_fr, created_at, updated_at)"
        " SELECT gen_random_uuid(), 'C' || n, 'C' || n, 'c' || n, 'c' || n, now(), now()"
        " FROM generate_series(1, $1) n",
        CATEGORIES,
    )
    await opened.execute(
        "INSERT INTO items (id, code, name_en, name_fr, unit, search_text, created_at, updated_at,"
        " category_id) SELECT gen_random_uuid(), 'I' || n, '', '', 'each', '', now(), now(), c.id"
        " FROM generate_series(1, $1) n JOIN categories c ON c.key_en = 'c' || (n % $2 + 1)",
        ITEMS,
        CATEGORIES,
    )
    yield opened
    await opened.close()


@pytest.fixture
async def small_tenants(databases) -> None:
    """Many others, who have a row each: by its statistics a tenant is as good as a key."""
    owner = await asyncpg.connect(databases.dsn("stock_owner"))
    await owner.execute(
        "INSERT INTO inventory.categories (id, tenant_id, name_en, name_fr, key_en, key_fr,"
        " created_at, updated_at)"
        " SELECT gen_random_uuid(), gen_random_uuid(), 'C', 'C', 'c', 'c', now(), now()"
        " FROM generate_series(1, 300)"
    )
    await owner.execute("ANALYZE inventory.items, inventory.categories, inventory.levels")
    await owner.close()


class Explained:
    """A connection that explains instead of fetching."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.plan: dict[str, Any] = {}

    async def fetch(self, statement: str, *parameters: object) -> list[asyncpg.Record]:
        text = await self._connection.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *parameters
        )
        self.plan = json.loads(text)[0]["Plan"]
        return []


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


async def rows_read(connection: asyncpg.Connection) -> dict[str, float]:
    """How many rows of each table a page reads, those thrown away included."""
    explained = Explained(connection)
    await listing.list_items(
        explained,  # type: ignore[arg-type]  # It is asked to fetch, and no more.
        ItemQuery(),
        "en",
        after=None,
        places=None,
        limit=PAGE,
    )
    read: dict[str, float] = {}
    for node in nodes(explained.plan):
        if "Relation Name" in node:
            thrown_away = node.get("Rows Removed by Filter", 0)
            read[node["Relation Name"]] = node["Actual Loops"] * (node["Actual Rows"] + thrown_away)
    return read


async def test_a_page_reads_one_category_for_each_item(connection):
    read = await rows_read(connection)

    assert read["items"] <= PAGE
    assert read["categories"] <= PAGE


async def test_nor_more_where_most_tenants_are_small(connection, small_tenants):
    read = await rows_read(connection)

    assert read["items"] <= PAGE
    assert read["categories"] <= PAGE


async def test_items_without_a_category_are_shown_too(connection):
    await connection.execute("UPDATE items SET category_id = NULL WHERE code = 'I1'")

    found = await listing.list_items(
        connection, ItemQuery(), "en", after=None, places=None, limit=2
    )

    assert [(item["code"], item["category"]) for item in found] == [("I1", None), ("I10", "C11")]
