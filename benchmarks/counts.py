"""What a count of 10,000 lines costs, beside 10,000 count corrections in one bulk call.

One run starts the system as `make up` does, fills a location with 10,000 items, and measures in
turn, each time on the same items: opening a count of them, entering all lines in one call, sending
these again, listing what differs, posting; and the bulk call.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

import httpx

from benchmarks.stock import fill
from tests.support.stack import Stack, running_stack

LINES = 10_000
ROUNDS = 3


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder) / "stack") as stack:
        asyncio.run(_measure(stack))


async def _measure(stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.url, timeout=120) as client:
        tenant = await stack.new_tenant(client)
        client.headers.update(tenant)
        me = (await client.get("/api/auth/me")).json()
        await fill(stack.dsn("stock_owner"), UUID(me["tenant"]["id"]), LINES)
        taken: dict[str, list[float]] = {}
        for number in range(ROUNDS):
            for name, once in (await _count(client, number)).items():
                taken.setdefault(name, []).append(once)
            taken.setdefault("bulk", []).append(await _correct(client, number))
    print(f"\nA count of {LINES} lines, through the gateway, fsync on, median of {ROUNDS}")
    for name, seconds in taken.items():
        print(f"{name:24}{median(seconds):8.2f} s{LINES / median(seconds):12.0f} lines a second")
    ratio = (median(taken["enter"]) + median(taken["post"])) / median(taken["bulk"])
    print(f"entered and posted: {ratio:.2f} of the bulk call")


async def _count(client: httpx.AsyncClient, number: int) -> dict[str, float]:
    taken: dict[str, float] = {}
    path = "/api/inventory/counts"
    opened = await _timed(taken, "open", client.post(path, json={"locations": ["Main"]}))
    path = f"{path}/{opened['id']}"
    lines = {"lines": [_line(n, number, id=str(uuid4())) for n in range(LINES)]}
    await _timed(taken, "enter", client.put(f"{path}/lines", json=lines))
    await _timed(taken, "enter again", client.put(f"{path}/lines", json=lines))
    await _timed(taken, "sum up", client.get(path))
    await _timed(
        taken, "list 200 that differ", client.get(f"{path}/lines?show=differing&limit=200")
    )
    posted = await _timed(taken, "post", client.post(f"{path}/post", json={}))
    if (posted["state"], posted["counted"]) != ("posted", LINES):
        raise RuntimeError(posted)
    return taken


async def _correct(client: httpx.AsyncClient, number: int) -> float:
    taken: dict[str, float] = {}
    body = {"lines": [_line(n, number + 1, kind="count_correction") for n in range(LINES)]}
    await _timed(taken, "bulk", client.post("/api/inventory/movements/bulk", json=body))
    return taken["bulk"]


async def _timed(
    taken: dict[str, float], name: str, sent: Awaitable[httpx.Response]
) -> dict[str, object]:
    started = time.perf_counter()
    response = await sent
    taken[name] = time.perf_counter() - started
    if not response.is_success:
        raise RuntimeError(response.text[:500])
    return dict(response.json())


def _line(n: int, number: int, **more: str) -> dict[str, object]:
    """Return a line in which each tenth item differs from the round before."""
    quantity = 5 + (number if n % 10 == 0 else 0)
    return {"item": f"C{n + 1:07}", "location": "Main", "quantity": quantity, **more}


if __name__ == "__main__":
    main()
