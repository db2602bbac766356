"""Waiting for what must come: for a condition, never for a time.

What is right comes soon. The bound is for a machine that is busy with other things; it is generous,
since only what is wrong ever reaches it.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import asyncpg
import httpx

from tests.support.database import Databases

PATIENCE_S = 120.0
PAUSE_S = 0.02
TRIES_MIN = 200  # A machine that stood still has not waited, whatever the clock says.


async def eventually(check: Callable[[], Any | Awaitable[Any]]) -> Any:
    """Return what `check`, asked again and again, gives once that is true."""
    deadline = time.monotonic() + PATIENCE_S
    for tries in count(1):
        found = check()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < deadline or tries < TRIES_MIN, (
            f"did not come within {PATIENCE_S:.0f} s"
        )
        await asyncio.sleep(PAUSE_S)
    raise AssertionError


def until(check: Callable[[], Any]) -> Any:
    """Return what `check` gives once that is true, where nothing else runs meanwhile."""
    return asyncio.run(eventually(check))


async def answered(ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """Return an answer other than 503, which asks a client to come again: a good one does."""

    async def answer() -> httpx.Response | None:
        found = await ask()
        return None if found.status_code == 503 else found

    found: httpx.Response = await eventually(answer)
    return found


async def pause(seconds: float) -> None:
    """Take time on purpose, as somebody slow does; what is right does not depend on how long."""
    await asyncio.sleep(seconds)


async def until_blocked_by(databases: Databases, connection: asyncpg.Connection) -> None:
    """Wait until somebody waits for a lock that this connection holds."""
    watching = await asyncpg.connect(databases.superuser_dsn)
    pid = connection.get_server_pid()

    async def is_blocking() -> bool:
        return bool(await watching.fetchval(_IS_BLOCKING, pid))

    await eventually(is_blocking)
    await watching.close()


_IS_BLOCKING = """
    SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid)))"""
