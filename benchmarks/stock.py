"""What stock costs: movements through the whole system beside the same SQL without it.

One run starts the system as `make up` does (fsync on, row-level security, both servers
embedded) in a folder of its own, and measures in turn: single movements spread over 200 items and
on one item; issues of items with lots beside plain ones; the same by asyncpg workers without
groups; bulk movements beside COPY into an equal table; lists of 50 among 10,000 and 100,000 items.
Needs `wrk`.
"""

import asyncio
import base64
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx

from benchmarks.load import Load, load, postgres_pids, require_wrk
from services.inventory.items.queries import list_items
from services.inventory.items.schemas import ItemQuery
from services.inventory.ledger.rules import Change, Kind, item_reference, place_reference
from services.inventory.ledger.service import apply_changes
from shared.db.database import PLAN_ONCE
from shared.ids import new_id
from tests.support.stack import Stack, running_stack

ITEMS = 200
SECONDS = 5
CONNECTIONS = 32
WORKERS = 16
LISTERS = 8
BULK_LINES = 10_000
LOTS = 5
TURNS = 2
BULK_ROUNDS = 3
_POST = """
local n = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "%(token)s"
function request()
  n = n + 1
  local item = %(item)s
  return wrk.format(nil, nil, nil, '{"kind":"%(kind)s","item":"' .. item
    .. '","location":"Main","quantity":1}')
end
"""
_LIST = """
local cursors = {%(cursors)s}
wrk.headers["Authorization"] = "%(token)s"
local n = 0
function request()
  n = n + 1
  return wrk.format(nil, "/api/inventory?limit=50" .. cursors[n %% #cursors + 1])
end
"""


def _spread_item(number: int) -> str:
    return f"I{number * 7 % ITEMS}"


def _first_item(_number: int) -> str:
    return "I0"


_PICKS: dict[str, Callable[[int], str]] = {"spread": _spread_item, "one item": _first_item}


def main() -> None:
    """Print the tables."""
    require_wrk()
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder) / "stack") as stack:
        asyncio.run(_measure(stack))


async def _measure(stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.url, timeout=120) as client:
        tenant = await stack.new_tenant(client)
        await prepare(client, tenant)
        dsn = stack.dsn("inventory_app")
        await _measure_movements(stack, client, tenant, dsn)
        await settle(stack)
        await _measure_bulk(stack, client, tenant)
        await _measure_lists(stack, client)


async def settle(stack: Stack) -> None:
    """Wait until the followers have read all that was journaled, lest they be measured too."""
    connection = await asyncpg.connect(stack.dsn("stock_owner"))
    behind = """
        SELECT EXISTS (
            SELECT FROM inventory.journal j, (
                SELECT xid, seq FROM reporting.follower_cursors WHERE producer = 'inventory'
                UNION ALL
                SELECT xid, seq FROM forecasting.follower_cursors WHERE producer = 'inventory'
            ) f WHERE (j.xid, j.seq) > (f.xid::text::xid8, f.seq))"""
    while await connection.fetchval(behind):  # noqa: ASYNC110 - other processes do the work.
        await asyncio.sleep(0.5)
    await connection.close()


async def prepare(client: httpx.AsyncClient, tenant: dict[str, str]) -> None:
    place = {"name": "Main", "type": "warehouse"}
    await made(client.post("/api/locations", json=place, headers=tenant))
    for n in range(ITEMS):
        item = {"code": f"I{n}", "name": f"Item {n}", "unit_cost": "1.5"}
        await made(client.post("/api/inventory/add-item", json=item, headers=tenant))
    lines = [line(f"I{n}") for n in range(ITEMS)]
    await made(client.post("/api/inventory/movements/bulk", json={"lines": lines}, headers=tenant))


async def _measure_movements(
    stack: Stack, client: httpx.AsyncClient, tenant: dict[str, str], dsn: str
) -> None:
    print(f"\nSingle movements, {CONNECTIONS} clients, through the gateway, fsync on")
    print(f"{'':24}{'per s':>8}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}  CPU µs a movement")
    rates = {}
    for name, item in (("spread", f'"I" .. (n * 7 % {ITEMS})'), ("one item", '"I0"')):
        sent = script(tenant, item)
        found = await asyncio.to_thread(_load, stack, sent, "/api/inventory/movements")
        rates[name] = found.per_s
        print_load(name, found)
    await _measure_lots(stack, client, tenant)
    tenant_id = UUID((await client.get("/api/auth/me", headers=tenant)).json()["tenant"]["id"])
    for name, pick in _PICKS.items():
        rate = await sql_rate(dsn, tenant_id, partial(_move, pick))
        _print_ratio(name, rates[name], rate)


async def _measure_lots(stack: Stack, client: httpx.AsyncClient, tenant: dict[str, str]) -> None:
    """Measure issues of what expires first beside plain ones, both spread, in turns."""
    await receive_lots(client, tenant)
    plain, lots = (script(tenant, f'"{code}" .. (n * 7 % {ITEMS})', "issue") for code in "IT")
    rates: dict[str, list[float]] = {"issues": [], f"of {LOTS} lots": []}
    for _ in range(TURNS):
        for name, sent in zip(rates, (plain, lots), strict=True):
            found = await asyncio.to_thread(_load, stack, sent, "/api/inventory/movements")
            rates[name].append(found.per_s)
            print_load(name, found)
    without, with_lots = map(sum, rates.values())
    print(f"an issue of {LOTS} lots costs {without / with_lots:.2f} of one without")


async def receive_lots(client: httpx.AsyncClient, tenant: dict[str, str]) -> None:
    """Give each item with lots many, and each without them enough to issue meanwhile."""
    lines = [line(f"I{n}") | {"quantity": 100_000} for n in range(ITEMS)]
    for n in range(ITEMS):
        item = {"code": f"T{n}", "name": f"Item {n}", "unit_cost": "1.5", "tracking": "lot"}
        await made(client.post("/api/inventory/add-item", json=item, headers=tenant))
        lines += [
            line(f"T{n}") | {"quantity": 20_000, "lot": f"L{lot}", "expires_on": f"209{lot}-01-01"}
            for lot in range(LOTS)
        ]
    await made(client.post("/api/inventory/movements/bulk", json={"lines": lines}, headers=tenant))


def script(tenant: dict[str, str], item: str, kind: str = "receipt") -> str:
    """Return what wrk sends: movements of one unit of the items that a piece of Lua names."""
    return _POST % {
        "token": tenant["Authorization"],
        "item": item,
        "kind": kind,
    }


async def _measure_bulk(stack: Stack, client: httpx.AsyncClient, tenant: dict[str, str]) -> None:
    print(f"\nBulk movements, calls of {BULK_LINES} lines, best of {BULK_ROUNDS}")
    copied = await _copy_rate(stack)
    for name, pick in _PICKS.items():
        body = {"lines": [line(pick(n)) for n in range(BULK_LINES)]}
        for at_once in (1, 2):
            best = 0.0
            for _ in range(BULK_ROUNDS):
                calls = [
                    made(client.post("/api/inventory/movements/bulk", json=body, headers=tenant))
                    for _ in range(at_once)
                ]
                started = time.perf_counter()
                await asyncio.gather(*calls)
                best = max(best, at_once * BULK_LINES / (time.perf_counter() - started))
                await settle(stack)
            label = f"{name}, {at_once} at once"
            print(f"{label:24}{best:8.0f} per s   {best / copied:.3f} of COPY")
    print(f"{'COPY, equal table':24}{copied:8.0f} per s")


async def _measure_lists(stack: Stack, client: httpx.AsyncClient) -> None:
    print(f"\nList of 50 items with stock, {LISTERS} clients, pages at random")
    print(f"{'':24}{'per s':>8}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}  CPU µs a list")
    for count in (10_000, 100_000):
        tenant = await stack.new_tenant(client)
        me = (await client.get("/api/auth/me", headers=tenant)).json()
        await fill(stack.dsn("stock_owner"), UUID(me["tenant"]["id"]), count)
        cursors = ",".join(f'"&cursor={cursor(n)}"' for n in range(0, count - 50, count // 97))
        script = _LIST % {"token": tenant["Authorization"], "cursors": cursors}
        found = await asyncio.to_thread(_load, stack, script, "/", LISTERS)
        name = f"{count} items"
        print_load(name, found)
        read = partial(_list, count)
        alone = await sql_rate(stack.dsn("inventory_app"), UUID(me["tenant"]["id"]), read, LISTERS)
        _print_ratio(name, found.per_s, alone)


def _load(stack: Stack, script: str, path: str, connections: int = CONNECTIONS) -> Load:
    watched = {
        "gateway": [stack.pid("gateway")],
        "inventory": [stack.pid("inventory")],
        "postgres": postgres_pids(stack.pid("postgres")),
    }
    return load(stack.url + path, script, connections=connections, seconds=SECONDS, watched=watched)


def print_load(name: str, found: Load) -> None:
    cpu = "  ".join(f"{process} {used:.0f}" for process, used in found.cpu_us.items())
    print(
        f"{name:24}{found.per_s:8.0f}{found.p50_ms:8.1f}{found.p95_ms:8.1f}{found.p99_ms:8.1f}"
        f"  {cpu}" + (f"  ERRORS {found.errors}" if found.errors else "")
    )


def _print_ratio(name: str, rate: float, alone: float) -> None:
    print(f"{name + ', SQL alone':24}{alone:8.0f}   the system reaches {rate / alone:.2f} of it")


async def sql_rate(
    dsn: str,
    tenant_id: UUID,
    do: Callable[[asyncpg.Connection, int], Awaitable[object]],
    workers: int = WORKERS,
) -> float:
    """Return how often a second asyncpg workers do the same by SQL alone, each time numbered."""
    ends_at, count = time.perf_counter() + SECONDS, 0

    async def work(first: int) -> None:
        nonlocal count
        connection = await asyncpg.connect(dsn)
        await connection.execute(PLAN_ONCE)
        await connection.execute("SELECT set_config('app.tenant', $1, false)", str(tenant_id))
        number = first
        while time.perf_counter() < ends_at:
            await do(connection, number)
            number, count = number + workers, count + 1
        await connection.close()

    started = time.perf_counter()
    await asyncio.gather(*(work(first) for first in range(workers)))
    return count / (time.perf_counter() - started)


async def _move(pick: Callable[[int], str], connection: asyncpg.Connection, number: int) -> None:
    async with connection.transaction():
        await apply_changes(connection, [change(pick(number))])


async def _list(count: int, connection: asyncpg.Connection, number: int) -> None:
    after = (f"C{number * (count // 97) % count:07}",)
    await list_items(connection, ItemQuery(), "en", after=after, places=None, limit=51)


async def _copy_rate(stack: Stack) -> float:
    """Return rows per second of COPY into a table like the ledger, its indexes included."""
    connection = await asyncpg.connect(stack.dsn("stock_owner"))
    await connection.execute("""
        CREATE TABLE inventory.copied (LIKE inventory.movements INCLUDING ALL);
        INSERT INTO inventory.copied SELECT * FROM inventory.movements LIMIT 1""")
    row = dict(await connection.fetchrow("SELECT * FROM inventory.copied"))
    rows = [tuple((row | {"seq": n, "id": uuid4()}).values()) for n in range(BULK_LINES)]
    best = 0.0
    for _ in range(BULK_ROUNDS):
        started = time.perf_counter()
        await connection.copy_records_to_table("copied", schema_name="inventory", records=rows)
        best = max(best, BULK_LINES / (time.perf_counter() - started))
    await connection.execute("DROP TABLE inventory.copied")
    await connection.close()
    return best


async def fill(dsn: str, tenant_id: UUID, count: int) -> None:
    """Make items, one location and a level for each, as the owner: this is no test of adding."""
    connection = await asyncpg.connect(dsn)
    place = new_id()
    async with connection.transaction():
        await connection.execute(
            "INSERT INTO inventory.locations (id, tenant_id, name, name_key, type, "
            "created_at, updated_at) VALUES ($1, $2, 'Main', 'main', 'warehouse', now(), now())",
            *(place, tenant_id),
        )
        await connection.execute(
            "INSERT INTO inventory.items (id, tenant_id, code, name_en, name_fr, unit, "
            "search_text, created_at, updated_at) SELECT gen_random_uuid(), $1, "
            "'C' || lpad(n::text, 7, '0'), 'Item ' || n, 'Article ' || n, 'each', 'item ' || n, "
            "now(), now() FROM generate_series(1, $2) n",
            *(tenant_id, count),
        )
        await connection.execute(
            "INSERT INTO inventory.identifiers (tenant_id, key, item_id, is_code) "
            "SELECT tenant_id, lower(code), id, true FROM inventory.items WHERE tenant_id = $1",
            tenant_id,
        )
        await connection.execute(
            "INSERT INTO inventory.levels (tenant_id, item_id, location_id, on_hand) "
            "SELECT tenant_id, id, $2, 5 FROM inventory.items WHERE tenant_id = $1",
            *(tenant_id, place),
        )
    await connection.execute("ANALYZE inventory.items, inventory.identifiers, inventory.levels")
    await connection.close()


def change(item: str) -> Change:
    return Change(
        new_id(), Kind.RECEIPT, item_reference(item), place_reference("Main"), "benchmark",
        "benchmark", quantity=Decimal(1),
    )  # fmt: skip


def line(item: str) -> dict[str, object]:
    return {"kind": "receipt", "item": item, "location": "Main", "quantity": 2}


def cursor(number: int) -> str:
    packed = json.dumps(["code", f"C{number:07}"], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


async def made(sent: Awaitable[httpx.Response]) -> None:
    response = await sent
    if response.status_code != 201:  # noqa: PLR2004 - Created.
        raise RuntimeError(response.text[:500])


if __name__ == "__main__":
    main()
