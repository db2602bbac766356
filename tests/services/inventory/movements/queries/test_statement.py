import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from services.inventory.movements.queries import Line, apply
from services.inventory.movements.queries.apply import NO_LOT
from services.inventory.movements.queries.statement import APPLY

pytestmark = pytest.mark.stack

NOW = datetime(2026, 3, 13, 12, tzinfo=UTC)
ROWS = 1500
# What a look-up must be by; by the tenant alone it would read all that the tenant has.
KEYS = {
    "levels": "item_id",
    "items": r"\b(code|id) =",
    "locations": "name",
    "prices": r"\bid =",
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
        "INSERT INTO prices (id, item_id, kind, source, amount)"
        " SELECT gen_random_uuid(), id, 'cost', 'item', 'x' FROM items"
    )
    await opened.execute(
        "INSERT INTO idempotency_keys (actor, key, fingerprint)"
        " SELECT 'user:1', 'old' || n, 'f' FROM generate_series(1, $1) n",
        ROWS,
    )
    yield opened
    await opened.close()


def line(item: str, change: int, location: str = "L1", **more: Any) -> Line:
    return Line(
        id=uuid4(), kind="receipt" if change > 0 else "issue", item_code=item, item_id=None,
        location=location, to_location=more.pop("to_location", None), change=Decimal(change),
        cost_id=None, amount=None, reason=None, reference=None, occurred_at=NOW, actor="user:1",
        request_id="r", **more,
    )  # fmt: skip


@pytest.mark.parametrize("lines", [1, 1000])
@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
async def test_no_step_reads_more_than_its_row(connection, lines, mode):
    await connection.execute(f"SET plan_cache_mode = {mode}")
    *columns, _counted = zip(*(line(f"I{n + 1}", 1) for n in range(lines)), strict=True)
    atomic, with_cost = False, True

    plan = await connection.fetchval(
        f"EXPLAIN (FORMAT JSON) {APPLY}", range(lines), *columns, NO_LOT, atomic, NOW, with_cost
    )

    read = list(scans(json.loads(plan)[0]["Plan"]))
    assert {table for table, _ in read} == set(KEYS)
    for table, condition in read:
        assert re.search(KEYS[table], condition), (table, condition)


def scans(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if node.get("Relation Name") in KEYS and node["Node Type"] != "ModifyTable":
        yield node["Relation Name"], node.get("Index Cond", node["Node Type"])
    for child in node.get("Plans", ()):
        yield from scans(child)


async def test_a_kept_key_takes_no_part_in_what_its_neighbours_do(connection):
    first = line("I1", -4, key="k", fingerprint=b"f")
    await apply(connection, [first], NOW)

    outcomes = await apply(
        connection,
        [
            line("I1", -4, key="k", fingerprint=b"f"),
            line("I1", -5),
            line("NONE", 1),
            line("I1", 1, "NOWHERE"),
            line("I1", 2),
            line("I2", -10),
            line("I2", -1),
        ],
        NOW,
    )

    assert [(o.status, o.balance) for o in outcomes] == [
        ("kept", None),
        ("applied", Decimal(1)),
        ("unknown_item", None),
        ("unknown_location", None),
        ("applied", Decimal(3)),
        ("applied", Decimal(0)),
        ("refused", None),
    ]
    assert outcomes[0].kept_movement == first.id
    held = dict(
        await connection.fetch(
            "SELECT i.code, on_hand FROM levels JOIN items i ON i.id = item_id"
            " WHERE i.code IN ('I1', 'I2')"
        )
    )
    assert held == {"I1": Decimal(3), "I2": Decimal(0)}


async def test_atomically_one_line_holds_back_all(connection):
    outcomes = await apply(
        connection, [line("I1", 1), line("NONE", 1), line("I2", 5)], NOW, atomic=True
    )

    assert [o.status for o in outcomes] == ["held_back", "unknown_item", "held_back"]
    assert await connection.fetchval("SELECT sum(on_hand) FROM levels") == 10 * ROWS


async def test_a_transfer_there_and_back_is_two_changes_of_two_levels(connection):
    outcomes = await apply(
        connection,
        [
            line("I1", -10, to_location="L2"),
            line("I1", -3, "L2", to_location="L1"),
            line("I1", -3),
        ],
        NOW,
    )

    assert [(o.status, o.balance) for o in outcomes] == [
        ("applied", Decimal(0)),
        ("applied", Decimal(7)),
        ("applied", Decimal(0)),
    ]
    ledger = await connection.fetch("SELECT quantity, balance_after FROM movements ORDER BY seq")
    assert [(int(row[0]), int(row[1])) for row in ledger] == [
        (-10, 0), (10, 10), (-3, 7), (3, 3), (-3, 0),
    ]  # fmt: skip
