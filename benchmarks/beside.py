"""What goes on beside the work costs it: backups, the log, a mirror, a verification.

One run starts the system as `make up` does (fsync on) with backups and a mirror, records 200,000
movements, and has 32 clients move stock through the gateway, in windows that take turns: with
nothing beside it, and with one thing. Each is compared with the quiet windows before and after it.
All shares one machine here; a mirror has one of its own. Needs `wrk`.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from statistics import mean

import asyncpg
import httpx

from benchmarks.load import Load, load, require_wrk
from benchmarks.stock import ITEMS, line, made, prepare, print_load, script, settle
from deploy.local.stack import embedded_postgres
from deploy.mirror.servers import SUBSCRIPTION
from tests.support.stack import ROOT, Stack, running_stack

CLIENTS, SECONDS, ROUNDS = 32, 8, 2
CALLS, LINES = 20, 10_000
MIRROR = {"wal_level": "logical", "max_connections": "100"}

Beside = Callable[[], AbstractAsyncContextManager[None]]


def main() -> None:
    """Print the table."""
    require_wrk()
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded_postgres(Path(folder) / "mirror", MIRROR) as mirror,
        running_stack(
            Path(folder) / "stack", BACKUP_ENABLED="true", MIRROR_DATABASE_URL=mirror
        ) as stack,
    ):
        asyncio.run(_measure(stack, mirror))


async def _measure(stack: Stack, mirror: str) -> None:
    async with httpx.AsyncClient(base_url=stack.url, timeout=120) as client:
        tenant = await stack.new_tenant(client)
        await prepare(client, tenant)
        body = {"lines": [line(f"I{n % ITEMS}") for n in range(LINES)]}
        for _ in range(CALLS):
            await made(client.post("/api/inventory/movements/bulk", json=body, headers=tenant))
    await settle(stack)
    await asyncio.to_thread(_run, stack, "deploy.mirror", "set-up")
    database = mirror.replace("/postgres?", "/stock?")
    await _follow(database, "DISABLE")
    os.kill(stack.pid("backup"), signal.SIGSTOP)
    print(f"\nMovements of {CLIENTS} clients, spread, beside other work, {ROUNDS} windows each")
    print(f"{'':24}{'per s':>8}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}")
    text = script(tenant, f'"I" .. (n * 7 % {ITEMS})')
    for name, beside in (
        ("nothing, once more", _nothing),
        ("the log is streamed", lambda: _streaming(stack)),
        ("and a backup is made", lambda: _backing_up(stack)),
        ("a mirror follows", lambda: _mirroring(database)),
        ("the stock is verified", lambda: _verifying(stack)),
    ):
        await _compare(stack, text, name, beside)
    os.kill(stack.pid("backup"), signal.SIGCONT)


async def _compare(stack: Stack, text: str, name: str, beside: Beside) -> None:
    quiet, busy = [await _window(stack, text)], []
    for _ in range(ROUNDS):
        async with beside():
            busy.append(await _window(stack, text))
        await settle(stack)
        quiet.append(await _window(stack, text))
    for each in busy:
        print_load(name, each)
    rate = _mean(busy, "per_s") / _mean(quiet, "per_s")
    p99 = _mean(busy, "p99_ms") / _mean(quiet, "p99_ms")
    print(f"{'':24}{rate:8.2f} of the rate of {len(quiet)} quiet windows, {p99:.2f} of their p99")


def _mean(found: list[Load], name: str) -> float:
    return float(mean(getattr(each, name) for each in found))


async def _window(stack: Stack, text: str) -> Load:
    url = f"{stack.url}/api/inventory/movements"
    return await asyncio.to_thread(load, url, text, connections=CLIENTS, seconds=SECONDS)


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def _streaming(stack: Stack) -> AsyncIterator[None]:
    os.kill(stack.pid("backup"), signal.SIGCONT)
    yield
    os.kill(stack.pid("backup"), signal.SIGSTOP)


@asynccontextmanager
async def _backing_up(stack: Stack) -> AsyncIterator[None]:
    async with _streaming(stack):
        made = asyncio.create_task(asyncio.to_thread(_run, stack, "deploy.backups", "backup"))
        yield
        print((await made).strip())


@asynccontextmanager
async def _mirroring(database: str) -> AsyncIterator[None]:
    await _follow(database, "ENABLE")
    yield
    await _follow(database, "DISABLE")


@asynccontextmanager
async def _verifying(stack: Stack) -> AsyncIterator[None]:
    words = ("verify-stock", "inventory")
    made = asyncio.create_task(asyncio.to_thread(_run, stack, "deploy.local", *words))
    yield
    print((await made).strip().splitlines()[-1])


async def _follow(database: str, how: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(f"ALTER SUBSCRIPTION {SUBSCRIPTION} {how}")
    await connection.close()


def _run(stack: Stack, module: str, *words: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own program.
        [sys.executable, "-m", module, *words],
        cwd=ROOT, env=stack.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
