"""How lists and searches grow with the items: 10,000, 100,000 and a million of them.

One run starts the system as `make up` does in a folder of its own, fills a tenant with each number
of items, and asks through the gateway, one request at a time and in turns, so that what else the
machine does meets all alike: pages of a list at random, and searches. How the past grows with the
movements is in `past`.
"""

import asyncio
import random
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import httpx

from benchmarks.stock import cursor, fill
from tests.support.stack import Stack, running_stack

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 60
QUESTIONS = ("a list", "a code", "a word")


class _Filled(NamedTuple):
    size: int
    headers: dict[str, str]


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder) / "stack") as stack:
        asyncio.run(_measure(stack))


async def _measure(stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.url, timeout=120) as client:
        tenants = [await _filled(stack, client, size) for size in SIZES]
        print(f"\nGrowth with the items, {ROUNDS} requests of each kind, one at a time")
        print(f"{'':24}{'p50 ms':>8}{'p95 ms':>8}  p50 and p95 of those at {SIZES[0]:,}")
        chance = random.Random(1)
        times: dict[tuple[str, int], list[float]] = {}
        for _ in range(ROUNDS):
            for tenant in tenants:
                for name in QUESTIONS:
                    took = await _time(client, tenant, name, chance)
                    times.setdefault((name, tenant.size), []).append(took)
        for name in QUESTIONS:
            least = _middle_and_high(times[name, SIZES[0]])
            for size in SIZES:
                p50, p95 = _middle_and_high(times[name, size])
                growth = f"{p50 / least[0]:.2f}  {p95 / least[1]:.2f}"
                print(f"{f'{name}, {size:,}':24}{p50:8.1f}{p95:8.1f}  {growth}")


async def _filled(stack: Stack, client: httpx.AsyncClient, size: int) -> _Filled:
    headers = await stack.new_tenant(client)
    me = (await client.get("/api/auth/me", headers=headers)).json()
    await fill(stack.dsn("stock_owner"), UUID(me["tenant"]["id"]), size)
    return _Filled(size, headers)


async def _time(
    client: httpx.AsyncClient, tenant: _Filled, name: str, chance: random.Random
) -> float:
    number = chance.randrange(1, tenant.size - 60)
    path, query = {
        "a list": ("/api/inventory", {"limit": "50", "cursor": cursor(number)}),
        "a code": ("/api/inventory/search", {"q": f"C{number:07}"}),
        "a word": ("/api/inventory/search", {"q": f"item {number}"}),
    }[name]
    started = time.perf_counter()
    response = await client.get(path, params=query, headers=tenant.headers)
    response.raise_for_status()
    return (time.perf_counter() - started) * 1000


def _middle_and_high(times: list[float]) -> tuple[float, float]:
    ordered = sorted(times)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]


if __name__ == "__main__":
    main()
