"""What backups and restores cost, beside pg_basebackup and cp on the same files in the same run.

One run starts the system as `make up` does in a folder of its own, with backups, records a million
movements (or as many as the first argument says), and then: copies the database with pg_basebackup
and with cp, makes a backup, moves stock at a steady rate with and without a backup under way,
verifies all, kills PostgreSQL, takes the data folder away, and restores it by the command that
people use.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles
from typing import Any

import asyncpg
import httpx

from deploy.backups.server import program
from tests.support.stack import ROOT, Stack, running_stack

MOVEMENTS = 1_000_000
LINES = 10_000
ITEMS = 1_000
RATE, SECONDS = 100, 15  # Movements a second while latencies are measured, and for how long.


def main() -> None:
    """Print the figures."""
    movements = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else MOVEMENTS
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(Path(folder) / "stack", BACKUP_ENABLED="true") as stack,
    ):
        asyncio.run(_measure(stack, movements))
        _restore(stack)


async def _measure(stack: Stack, movements: int) -> None:
    async with httpx.AsyncClient(base_url=stack.url, timeout=120) as client:
        headers = await stack.new_tenant(client)
        took_s = await _fill(client, headers, movements)
        size = _size(stack.folder / "postgres")
        print(f"\nBackups: {movements:,} movements in {took_s:.0f} s, {size / 1e6:,.0f} MB")
        await _copy(stack, size)
        quiet = await _latencies(client, headers)
        backup = asyncio.create_task(asyncio.to_thread(_run, stack, "backup"))
        busy = await _latencies(client, headers)
        print((await backup).strip())
        for name, found in (("without a backup", quiet), ("while one is made", busy)):
            p50, p95, p99 = _percentiles(found)
            print(f"{name:20} p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  p99 {p99:6.1f} ms")
        await _verify(stack, movements)


async def _fill(client: httpx.AsyncClient, headers: dict[str, str], movements: int) -> float:
    began = time.monotonic()
    await _post(client, headers, "/api/locations", {"name": "Main", "type": "warehouse"})
    for number in range(ITEMS):
        body = {"code": f"A{number}", "name": f"Item {number}"}
        await _post(client, headers, "/api/inventory/add-item", body)
    lines = [
        {"kind": "receipt", "item": f"A{n % ITEMS}", "location": "Main", "quantity": 1}
        for n in range(LINES)
    ]
    for _ in range(movements // LINES):
        await _post(client, headers, "/api/inventory/movements/bulk", {"lines": lines})
    return time.monotonic() - began


async def _copy(stack: Stack, size: int) -> None:
    """Copy the database as others do: a tar by pg_basebackup, a folder by cp."""
    target = stack.folder / "yardstick"
    command = [
        *(program("pg_basebackup"), "--dbname", stack.superuser_dsn, "--checkpoint", "fast"),
        *("--format", "tar", "--wal-method", "fetch", "--pgdata", str(target)),
    ]
    for name, words in (
        ("pg_basebackup", command),
        ("cp", ["cp", "-r", str(stack.folder / "postgres"), str(target)]),
    ):
        began = time.monotonic()
        await asyncio.to_thread(subprocess.run, words, check=True, capture_output=True)
        os.sync()
        took_s = time.monotonic() - began
        print(f"{name:20} {took_s:6.1f} s  {size / 1e6 / took_s:6.0f} MB/s")
        shutil.rmtree(target)


async def _latencies(client: httpx.AsyncClient, headers: dict[str, str]) -> list[float]:
    """Move stock at a steady rate and return how long each movement took, in milliseconds."""
    found: list[float] = []
    began = time.monotonic()

    async def move(number: int) -> None:
        sent = time.monotonic()
        line = {"kind": "receipt", "item": f"A{number % ITEMS}", "location": "Main", "quantity": 1}
        await _post(client, headers, "/api/inventory/movements", line)
        found.append(1000 * (time.monotonic() - sent))

    async with asyncio.TaskGroup() as group:
        for number in range(RATE * SECONDS):
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
            group.create_task(move(number))
    return found


async def _verify(stack: Stack, movements: int) -> None:
    """Verify ledger and journal, beside no more than a hash of each entry's text."""
    connection = await asyncpg.connect(stack.superuser_dsn)
    began = time.monotonic()
    await connection.execute(_HASH_ALL)
    hashed_s = time.monotonic() - began
    await connection.close()
    began = time.monotonic()
    said = await asyncio.to_thread(_run, stack, "verify-stock", "inventory", of="deploy.local")
    took_s = time.monotonic() - began
    print(said.strip().splitlines()[-1])
    print(
        f"{'verified in':20} {took_s:6.1f} s  {movements / took_s:6,.0f} movements/s, "
        f"{took_s / hashed_s:.1f} of a hash of each entry"
    )


def _restore(stack: Stack) -> None:
    size = _size(stack.folder / "postgres")
    os.kill(stack.pid("postgres"), signal.SIGKILL)
    stack.run("down")
    shutil.rmtree(stack.folder / "postgres")
    began = time.monotonic()
    print(_run(stack, "restore", "--yes"))
    took_s = time.monotonic() - began
    print(f"{'restored in all':20} {took_s:6.1f} s  {size / 1e6 / took_s:6.0f} MB/s")
    stack.run("up")


def _run(stack: Stack, *words: str, of: str = "deploy.backups") -> str:
    done = subprocess.run(  # noqa: S603 - our own program.
        [sys.executable, "-m", of, *words],
        cwd=ROOT, env=stack.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


async def _post(
    client: httpx.AsyncClient, headers: dict[str, str], path: str, body: dict[str, Any]
) -> None:
    response = await client.post(path, json=body, headers=headers)
    if not response.is_success:
        raise SystemExit(f"{path}: {response.text[:300]}")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _percentiles(found: Sequence[float]) -> tuple[float, float, float]:
    cuts = quantiles(found, n=100)
    return cuts[49], cuts[94], cuts[98]


_HASH_ALL = "SELECT count(sha256(convert_to(data::text, 'UTF8'))) FROM inventory.journal"

if __name__ == "__main__":
    main()
