import asyncio
from collections.abc import Awaitable, Callable

from shared import tracing
from shared.ending import is_ending
from shared.log import log


async def every(interval_s: float, name: str, work: Callable[[], Awaitable[object]]) -> None:
    """Do `work` now and then every `interval_s` seconds, for ever; a failure waits for the next."""
    while True:
        try:
            with tracing.spanning(name):
                await work()
        except Exception:
            if is_ending():
                raise
            log.exception("periodic work failed", work=name)
        await asyncio.sleep(interval_s)


async def run_together(*loops: Awaitable[None]) -> None:
    """Run loops side by side; when one ends with an error, end all with it."""
    async with asyncio.TaskGroup() as group:
        for loop in loops:
            group.create_task(_awaited(loop))


async def _awaited(loop: Awaitable[None]) -> None:
    await loop
