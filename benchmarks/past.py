"""What a question of the past costs: with snapshots of the ledger, and by its sum alone.

One run starts the system as `make up` does in a folder of its own, fills tenants with two years of
movements (10,000, 100,000, 1,000,000; one in ten of one item, one in twenty recorded late by up to
90 days), waits until the worker has taken snapshots, and asks through the gateway, one request at
a time, what lay there at times of these years, some as known then: of an item, of the busiest one,
at a location, everywhere. The sum is the plain SQL over the whole ledger, by asyncpg.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx

from services.inventory.snapshots.rules import MOVEMENTS_EACH
from tests.support.stack import Stack, running_stack

SIZES = (10_000, 100_000, 1_000_000)
ITEMS, PLACES, DAYS = 2_000, 5, 730
QUESTIONS, SUMS = 60, 6


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder) / "stack") as stack:
        asyncio.run(_measure(stack))


async def _measure(stack: Stack) -> None:
    print(f"\nThe past, {ITEMS} items at {PLACES} locations, {QUESTIONS} questions of each kind")
    print(f"{'':34}{'p50 ms':>8}{'p95 ms':>8}{'sum ms':>8}  p95 of the sum")
    async with httpx.AsyncClient(base_url=stack.url, timeout=120) as client:
        for size in SIZES:
            headers = await stack.new_tenant(client)
            me = (await client.get("/api/auth/me", headers=headers)).json()
            await _measure_size(stack, client, headers, UUID(me["tenant"]["id"]), size)


async def _measure_size(
    stack: Stack, client: httpx.AsyncClient, headers: dict[str, str], tenant_id: UUID, size: int
) -> None:
    owner = await asyncpg.connect(stack.superuser_dsn)
    items = await _fill(owner, tenant_id, size)
    taken = await _wait_for_snapshots(owner, tenant_id, size)
    print(f"{size} movements, {taken} snapshots")
    app = await asyncpg.connect(stack.dsn("inventory_app"))
    await app.execute("SELECT set_config('app.tenant', $1, false)", str(tenant_id))
    for name, path, sum_of in (
        ("an item", f"/api/inventory/{items[1]}/stock", _OF_ITEM),
        ("the busiest item", f"/api/inventory/{items[0]}/stock", _OF_ITEM),
        ("a page at a location", "/api/locations/Place 0/inventory", _AT_LOCATION),
        ("a page of all", "/api/inventory/stock", _OF_ALL),
    ):
        chance = random.Random(size)
        times = [
            await _time(client.get(path, params=_question(chance), headers=headers))
            for _ in range(QUESTIONS)
        ]
        by_sum = [await _time_sum(app, sum_of, path, chance) for _ in range(SUMS)]
        _print(name, times, by_sum)
    await app.close()
    await owner.close()


def _question(chance: random.Random) -> dict[str, str]:
    """Return when: as of a time of the two years, as known now, or as known then or later."""
    now = datetime.now(UTC)
    as_of = now - timedelta(days=chance.uniform(1, DAYS))
    known_at = now - timedelta(days=chance.uniform(1, DAYS))
    return chance.choice(
        [
            {"as_of": as_of.isoformat()},
            {"known_at": known_at.isoformat()},
            {"as_of": as_of.isoformat(), "known_at": known_at.isoformat()},
        ]
    )


async def _time(asked: Awaitable[httpx.Response]) -> float:
    started = time.perf_counter()
    response = await asked
    response.raise_for_status()
    return (time.perf_counter() - started) * 1000


async def _time_sum(
    connection: asyncpg.Connection, statement: str, path: str, chance: random.Random
) -> float:
    question = _question(chance)
    times = [
        datetime.fromisoformat(question[name]) if name in question else None
        for name in ("as_of", "known_at")
    ]
    of = [UUID(path.split("/")[3])] if statement is _OF_ITEM else []
    started = time.perf_counter()
    await connection.fetch(statement, *times, *of)
    return (time.perf_counter() - started) * 1000


def _print(name: str, times: Sequence[float], sums: Sequence[float]) -> None:
    ordered, middle = sorted(times), sorted(sums)[len(sums) // 2]
    p50, p95 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    print(f"    {name:30}{p50:8.1f}{p95:8.1f}{middle:8.1f}  {p95 / middle:.2f}")


_SUM = """
    FROM movements WHERE occurred_at <= coalesce($1::timestamptz, 'infinity')
        AND recorded_at <= coalesce($2::timestamptz, 'infinity')"""
_OF_ITEM = f"""
    SELECT location_id, lot_id, sum(quantity) {_SUM} AND item_id = $3
    GROUP BY 1, 2"""
_PAGE = """
    SELECT i.code, m.on_hand FROM (
        SELECT item_id, sum(quantity) AS on_hand {sums} GROUP BY 1
    ) m JOIN items i ON i.id = m.item_id WHERE m.on_hand <> 0 ORDER BY i.code LIMIT 51"""
_THERE = " AND location_id = (SELECT id FROM locations WHERE name_key = 'place 0')"
_AT_LOCATION = _PAGE.format(sums=_SUM + _THERE)
_OF_ALL = _PAGE.format(sums=_SUM)


async def _fill(owner: asyncpg.Connection, tenant_id: UUID, size: int) -> list[UUID]:
    """Make the items, locations and levels, and the ledger as it would have been recorded."""
    await owner.execute("SET search_path = inventory, public")
    first = (datetime.now(UTC) - timedelta(days=DAYS)).date().replace(day=1)
    await owner.execute("SELECT add_months($1, 24)", first)
    for statement in _FILL:
        await owner.execute(statement, *(tenant_id, PLACES, ITEMS, size, DAYS)[: _count(statement)])
    await owner.execute("ANALYZE items, locations, levels, movements")
    rows = await owner.fetch(
        "SELECT id FROM items WHERE tenant_id = $1 ORDER BY code LIMIT 2", tenant_id
    )
    return [row[0] for row in rows]


def _count(statement: str) -> int:
    return max(n for n in range(1, 6) if f"${n}" in statement)


# One unit comes or goes at a time, but for what lay there at first, so that nothing is ever short.
_FILL = (
    """
    INSERT INTO locations (id, tenant_id, name, name_key, type, created_at, updated_at)
    SELECT gen_random_uuid(), $1, 'Place ' || n, 'place ' || n, 'warehouse', now(), now()
    FROM generate_series(0, $2::int - 1) n""",
    """
    INSERT INTO items (id, tenant_id, code, name_en, name_fr, unit, search_text, created_at,
                       updated_at)
    SELECT gen_random_uuid(), $1, 'C' || lpad(n::text, 5, '0'), 'Item ' || n, 'Article ' || n,
           'each', '', now(), now() + make_interval(secs => $2::int * 0)
    FROM generate_series(0, $3::int - 1) n""",
    """
    INSERT INTO levels (tenant_id, item_id, location_id, on_hand)
    SELECT i.tenant_id, i.id, l.id, 5 FROM items i, locations l
    WHERE i.tenant_id = $1 AND l.tenant_id = $1""",
    """
    INSERT INTO movements (id, tenant_id, kind, item_id, location_id, quantity, balance_after,
                           actor, occurred_at, recorded_at)
    SELECT gen_random_uuid(), $1, 'adjustment', i.ids[m.item], l.ids[1 + m.n % $2::int], m.quantity,
           1, 'benchmark', m.at - m.late * interval '90 days', m.at
    FROM (
        SELECT n, CASE WHEN n % 10 = 0 THEN 1 ELSE 1 + floor(random() * $3::int)::int END AS item,
               CASE WHEN n <= $4::int / 10 THEN 100 ELSE 1 - 2 * (n % 2) END AS quantity,
               now() - make_interval(secs => ($4::int - n) * ($5::int * 86400.0 / $4::int)) AS at,
               CASE WHEN random() < 0.05 THEN random() ELSE 0 END AS late
        FROM generate_series(1, $4::int) n
    ) m,
    (SELECT array_agg(id ORDER BY code) AS ids FROM items WHERE tenant_id = $1) i,
    (SELECT array_agg(id ORDER BY name) AS ids FROM locations WHERE tenant_id = $1) l
    ORDER BY m.n""",
)


async def _wait_for_snapshots(owner: asyncpg.Connection, tenant_id: UUID, size: int) -> int:
    """Wait until the worker has taken all that are due, and return how many there are."""
    due, taken = size // MOVEMENTS_EACH, 0
    while taken < due:
        taken = await owner.fetchval(
            "SELECT count(*) FROM snapshots WHERE tenant_id = $1 AND made_at IS NOT NULL", tenant_id
        )
        await asyncio.sleep(0.5)
    await owner.execute("VACUUM ANALYZE snapshots, snapshot_sums")
    return taken


if __name__ == "__main__":
    main()
