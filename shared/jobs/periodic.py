import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

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


async def run_until_told(*loops: Awaitable[None]) -> None:
    """Run loops side by side until the process is told to end, by SIGTERM or SIGINT."""
    running = asyncio.ensure_future(run_together(*loops))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    with suppress(asyncio.CancelledError):
        await running


async def _awaited(loop: Awaitable[None]) -> None:
    await loop
