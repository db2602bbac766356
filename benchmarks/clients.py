"""How movements and reservations grow with the clients, through the gateway and inside the service.

One run starts the system as `make up` does (fsync on) in a folder of its own, and measures at 1, 8,
32 and 128 clients: receipts spread over 200 items and on one item, issues of items with lots,
receipts of serials, reservations; each beside the best that fewer clients had, since throughput
must not fall. Then the same on one item without HTTP: changes given to the groups of ADR 0005 in
this process. Needs `wrk`.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx

from benchmarks.load import load, postgres_pids, require_wrk
from benchmarks.stock import (
    ITEMS,
    change,
    line,
    made,
    prepare,
    print_load,
    receive_lots,
    script,
    settle,
)
from services.inventory.ledger.rules import Change
from services.inventory.ledger.service import Batcher, apply_changes
from services.inventory.ledger.service.batching import Result, note_movement
from tests.support.stack import Stack, running_stack

CLIENTS = (1, 8, 32, 128)
SECONDS = 3
PLENTY = 1_000_000
FEEDERS = 256  # Who wait inside the service, as many requests would.
_SERIAL = """
local n, run = 0, "%(run)s"
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "%(token)s"
function request()
  n = n + 1
  return wrk.format(nil, nil, nil, '{"kind":"receipt","item":"S' .. (n * 7 %% 200)
    .. '","location":"Main","serials":["' .. run .. n .. '"]}')
end
"""
_RESERVE = """
local n = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "%(token)s"
function request()
  n = n + 1
  return wrk.format(nil, nil, nil, '{"lines":[{"item":"I' .. (n * 7 %% 200)
    .. '","location":"Main","quantity":1}]}')
end
"""
Tenant = dict[str, str]


def main() -> None:
    """Print the tables."""
    require_wrk()
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder) / "stack") as stack:
        asyncio.run(_measure(stack))


async def _measure(stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.url, timeout=120) as client:
        tenant = await stack.new_tenant(client)
        await prepare(client, tenant)
        await receive_lots(client, tenant)
        for n in range(ITEMS):
            item = {"code": f"S{n}", "name": f"Item {n}", "tracking": "serial"}
            await made(client.post("/api/inventory/add-item", json=item, headers=tenant))
        lines = [line(f"I{n}") | {"quantity": PLENTY} for n in range(ITEMS)]  # To reserve of.
        path = "/api/inventory/movements/bulk"
        await made(client.post(path, json={"lines": lines}, headers=tenant))
        await settle(stack)
        await _measure_clients(stack, tenant)
        await settle(stack)
        me = (await client.get("/api/auth/me", headers=tenant)).json()
        await _measure_inside(stack, UUID(me["tenant"]["id"]))


async def _measure_clients(stack: Stack, tenant: Tenant) -> None:
    print("\nThrough the gateway, fsync on, by clients")
    print(f"{'':24}{'per s':>8}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}  CPU µs a request")
    spread = f'"I" .. (n * 7 % {ITEMS})'
    movements, reservations = "/api/inventory/movements", "/api/inventory/reservations"
    for name, path, text in (
        ("spread", movements, script(tenant, spread)),
        ("one item", movements, script(tenant, '"I0"')),
        ("issues of lots", movements, script(tenant, spread.replace("I", "T", 1), "issue")),
        ("serials", movements, _SERIAL),
        ("reservations", reservations, _RESERVE),
    ):
        best = 0.0
        for clients in CLIENTS:
            filled = text
            if text in {_SERIAL, _RESERVE}:
                filled = text % {"token": tenant["Authorization"], "run": f"R{clients}-"}
            found = await asyncio.to_thread(
                load, stack.url + path, filled, connections=clients, seconds=SECONDS,
                watched=_watched(stack),
            )  # fmt: skip
            print_load(f"{name}, {clients}", found)
            if best:
                print(f"{'':24}{found.per_s / best:8.2f} of the best of fewer clients")
            best = max(best, found.per_s)


def _watched(stack: Stack) -> dict[str, Sequence[int]]:
    return {
        "gateway": [stack.pid("gateway")],
        "inventory": [stack.pid("inventory")],
        "postgres": postgres_pids(stack.pid("postgres")),
    }


async def _measure_inside(stack: Stack, tenant_id: UUID) -> None:
    """Feed changes of one item to the groups, and compare with the same written one by one."""
    pool = await asyncpg.create_pool(stack.dsn("inventory_app"), min_size=1, max_size=8)

    async def apply(_tenant_id: UUID, changes: Sequence[Change]) -> Sequence[Result]:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT set_config('app.tenant', $1, true)", str(tenant_id))
            return await apply_changes(connection, changes)

    batcher = Batcher[Change, Result](apply, note_movement, lambda: None)
    grouped = await _rate(FEEDERS, lambda: batcher.submit(tenant_id, change("I0")))
    alone = await _rate(1, lambda: batcher.submit(tenant_id, change("I0")))
    await batcher.drain()
    await pool.close()
    print("\nInside the service, one item")
    print(f"{f'{FEEDERS} waiting':24}{grouped:8.0f} per s   {grouped / alone:.1f} of one by one")
    print(f"{'one by one':24}{alone:8.0f} per s")


async def _rate(feeders: int, submit: Callable[[], Awaitable[object]]) -> float:
    ends_at, count = time.perf_counter() + SECONDS, 0

    async def feed() -> None:
        nonlocal count
        while time.perf_counter() < ends_at:
            await submit()
            count += 1

    started = time.perf_counter()
    await asyncio.gather(*(feed() for _ in range(feeders)))
    return count / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
