"""The processes that fit: one item each at a time, replaced when they die or hang."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from services.forecasting.fitting.fit import PRELOADED, fit, prepare

FITS_PER_PROCESS = 500  # Then a fresh one takes its place: numeric libraries never shrink.


class ProcessDied(Exception):
    """The process ended in the middle of a fit."""


class FitTimedOut(Exception):
    """The fit took longer than its limit; its process was killed."""


class FittingProcesses:
    """A fixed number of training processes, each started when it is first needed.

    They are forked from a server that has imported the numeric libraries once, so they share its
    memory; this process imports none of them.
    """

    def __init__(self, size: int, time_limit_s: float) -> None:
        self._time_limit_s = time_limit_s
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([PRELOADED])
        self._idle: asyncio.LifoQueue[_Slot] = asyncio.LifoQueue()
        self._slots = [_Slot() for _ in range(size)]
        for slot in self._slots:
            self._idle.put_nowait(slot)

    async def fit(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return what `fit` makes of the request. Raises ProcessDied, FitTimedOut."""
        slot = await self._idle.get()
        try:
            async with asyncio.timeout(self._time_limit_s):
                return await slot.fit(self._context, request)
        except TimeoutError as error:
            slot.kill()
            raise FitTimedOut from error
        except BrokenProcessPool as error:
            slot.kill()
            raise ProcessDied from error
        except asyncio.CancelledError:
            slot.kill()
            raise
        finally:
            self._idle.put_nowait(slot)

    def close(self) -> None:
        """End all processes at once, in the middle of whatever they do."""
        for slot in self._slots:
            slot.kill()


class _Slot:
    """One process, or the place for one."""

    __slots__ = ("_executor",)

    def __init__(self) -> None:
        self._executor: ProcessPoolExecutor | None = None

    async def fit(
        self, context: multiprocessing.context.ForkServerContext, request: dict[str, Any]
    ) -> dict[str, Any]:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                1, context, prepare, max_tasks_per_child=FITS_PER_PROCESS
            )
        # The first one waits for the fork server's imports, seconds that the loop must not lose.
        future = await asyncio.to_thread(self._executor.submit, fit, request)
        return await asyncio.wrap_future(future)

    def kill(self) -> None:
        if self._executor is None:
            return
        executor, self._executor = self._executor, None
        # Python 3.14 has kill_workers(); until then the table of processes is the only way.
        for process in list((executor._processes or {}).values()):  # noqa: SLF001 - see above.
            process.kill()
        executor.shutdown(wait=False, cancel_futures=True)
