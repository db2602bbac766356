"""Run a child process until told to stop: wait for it, restart it when it crashes."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.launch import Launcher, Program, Running, execute
from deploy.local.output import ProcessLog, say
from deploy.local.rules import crashes_in_a_row, restart_delay_s

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
POLL_INTERVAL_S = 0.05
LAST_WORDS_S = 1.0  # How long output may lag behind the end of its process.


@dataclass(frozen=True)
class Child:
    """What to run, how to know that it is ready, and which of its output to show.

    `readiness(pid)` returns None when ready, else what is missing, in a few words.
    """

    program: Program
    readiness: Callable[[int], Awaitable[str | None]]
    shows: Callable[[str], str | None]


class Supervised:
    """One child over all its lives."""

    def __init__(self, child: Child, log_dir: Path, launch: Launcher = execute) -> None:
        self.child = child
        self.name = child.program.name
        self._launch = launch
        self.restarts = 0
        self._log = ProcessLog(self.name, log_dir, child.shows)
        self._process: Running | None = None
        self._output: asyncio.Task[None] | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> float:
        """Start the child, keep it alive from then on; return the seconds until it was ready.

        Raises StackError when it ends or is still not ready after READY_TIMEOUT_S.
        """
        began = time.monotonic()
        process = await self._spawn()
        await self._until_ready(process)
        self._keeper = asyncio.create_task(self._keep(process, began))
        return time.monotonic() - began

    async def stop(self) -> None:
        """End the child and whatever it started: politely, then after STOP_TIMEOUT_S by force."""
        await _cancel(self._keeper)
        if self._process is not None:
            await self._end(self._process)
        await _cancel(self._output)
        self._log.close()

    async def _spawn(self) -> Running:
        process = await self._launch(self.child.program)
        self._process = process
        await _cancel(self._output)
        self._output = asyncio.create_task(self._copy_output(process))
        return process

    async def _copy_output(self, process: Running) -> None:
        while process.stdout is not None:
            try:
                line = await process.stdout.readline()
            except ValueError:  # Longer than LINE_MAX: the reader has dropped it.
                continue
            if not line:
                return
            self._log.write(line.decode(errors="replace").rstrip("\n"))

    async def _until_ready(self, process: Running) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while True:
            if process.returncode is not None:
                raise StackError(await self._why_it_ended(process.returncode))
            missing = await self.child.readiness(process.pid)
            if missing is None:
                return
            if time.monotonic() > deadline:
                raise StackError(
                    f"{self.name} is not ready after {READY_TIMEOUT_S:.0f} s: {missing}"
                )
            await asyncio.sleep(POLL_INTERVAL_S)

    async def _why_it_ended(self, code: int) -> str:
        if self._output is not None:  # Its last words may still be in the pipe.
            await asyncio.wait([self._output], timeout=LAST_WORDS_S)
        if code < 0:  # Killed: what it said before has nothing to do with it.
            return f"{self.name} was ended by {signal.Signals(-code).name}"
        reason = f": {self._log.last}" if self._log.last else ""
        return f"{self.name} ended with code {code}{reason}"

    async def _keep(self, process: Running, began: float) -> None:
        crashes = 0
        while True:
            code = await ended(process)
            _signal_group(process.pid, signal.SIGKILL)  # Its own children, if it left any.
            reason = await self._why_it_ended(code)
            self.restarts += 1
            crashes = crashes_in_a_row(crashes, lived_s=time.monotonic() - began)
            delay_s = restart_delay_s(crashes)
            say(f"{reason}; starting it again in {delay_s:g} s")
            await asyncio.sleep(delay_s)
            began = time.monotonic()
            try:
                process = await self._spawn()
                await self._until_ready(process)
                say(f"{self.name} is ready again")
            except StackError as error:
                if process.returncode is None:  # It lives but is not well; if it ends, we go on.
                    say(str(error))

    async def _end(self, process: Running) -> None:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(self.child.program.stop_signal)
            try:
                await asyncio.wait_for(ended(process), STOP_TIMEOUT_S)
            except TimeoutError:
                say(f"{self.name} did not stop within {STOP_TIMEOUT_S:.0f} s; killed")
        _signal_group(process.pid, signal.SIGKILL)
        await ended(process)


async def ended(process: Running) -> int:
    """Wait for the end of the process itself and return its code.

    Process.wait also waits for its output to close, which a grandchild may hold open for ever.
    """
    while process.returncode is None:  # noqa: ASYNC110 - the only sign of the end without pipes.
        await asyncio.sleep(POLL_INTERVAL_S)
    return process.returncode


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


async def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait([task])
