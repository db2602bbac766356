"""What a scrape costs a process: CPU, and for how long it holds the event loop.

A registry of about as many lines as a busy service has is read whole, as prometheus_client does
it, and in slices, as our `/metrics` does, while another task asks for its turn all the time. The
time between two of its turns is what every request waits at worst. The best of some rounds.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from shared.exposition import expose
from shared.metrics import HTTP_BUCKETS_S, SIZE_BUCKETS_BYTES

ROUTES = 70
ROUNDS = 15


def main() -> None:
    asyncio.run(_compare())


async def _compare() -> None:
    registry = _registry()

    async def whole() -> bytes:
        return generate_latest(registry)

    async def sliced() -> bytes:
        return (await expose(registry, ""))[0]

    lines = len((await sliced()).splitlines())
    print(f"\nA scrape of {lines:,} lines: CPU and the longest hold of the event loop, in ms")
    (cpu, held), (cpu_sliced, held_sliced) = await _best(whole), await _best(sliced)
    print(f"  {'at once, as prometheus_client does':<36} {cpu:>6.1f} {held:>6.1f}")
    print(f"  {'in slices, as /metrics does':<36} {cpu_sliced:>6.1f} {held_sliced:>6.1f}")
    print(f"  {'in slices / at once':<36} {cpu_sliced / cpu:>6.2f} {held_sliced / held:>6.2f}")


async def _best(scrape: Callable[[], Awaitable[bytes]]) -> tuple[float, float]:
    """Return (CPU, longest hold) of a scrape in milliseconds, each the best of the rounds."""
    cpu, held = 1e9, 1e9
    for _ in range(ROUNDS):
        longest = 0.0
        done = asyncio.Event()

        async def watch(done: asyncio.Event = done) -> None:
            nonlocal longest
            last = time.perf_counter()
            while not done.is_set():
                await asyncio.sleep(0)
                now = time.perf_counter()
                longest, last = max(longest, now - last), now

        watching = asyncio.create_task(watch())
        await asyncio.sleep(0)
        started = time.process_time()
        await scrape()
        cpu = min(cpu, time.process_time() - started)
        done.set()
        await watching
        held = min(held, longest)
    return cpu * 1000, held * 1000


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    labels = ["method", "route"]
    requests = Counter("requests_total", "…", [*labels, "status_code"], registry=registry)
    duration = Histogram("answer_seconds", "…", labels, buckets=HTTP_BUCKETS_S, registry=registry)
    sizes = [
        Histogram(name, "…", labels, buckets=SIZE_BUCKETS_BYTES, registry=registry)
        for name in ("request_bytes", "response_bytes")
    ]
    for number in range(ROUTES):
        route = f"/api/inventory/{number}/{{item_id}}"
        for status in ("200", "404", "422"):
            requests.labels("GET", route, status).inc()
        duration.labels("GET", route).observe(0.01)
        for size in sizes:
            size.labels("GET", route).observe(500)
    return registry


if __name__ == "__main__":
    main()
