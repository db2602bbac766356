"""Breaks what the plan says, when it says so, and writes down what came about.

It signals processes of its own system alone: what the system's note names and the system started.
"""

import asyncio
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from deploy.local.instance import Instance
from tests.support.stack import Stack
from tests.support.waiting import pause
from tests.torture.clients import Play
from tests.torture.clocks import CLOCK_READ_S, set_clock
from tests.torture.disks import Disk
from tests.torture.history import Happening
from tests.torture.links import Link
from tests.torture.plan import SKEWS, Fault

DELAY_S = 0.15
LOOK_S = 0.05
RESTARTS_S = 25.0  # A service may drain for a while before it ends.
FOR_COMMIT_S = 2.0  # How long a commit is waited for.


@dataclass
class Injector:
    """Has its hands on the processes and links of one system."""

    stack: Stack
    links: dict[str, Link]
    clocks: dict[str, Path]  # The files that say how wrong a process's clock is.
    disk: Disk | None

    async def carry_out(self, play: Play, planned: list[Fault]) -> None:
        """Let each fault come at its time."""
        for fault in planned:
            await pause(max(0.0, fault.at_s - play.now))
            if fault.waits:
                await self._recovered(play)
            if play.is_over:
                return
            started = play.now
            if await self._inject(fault):
                happening = Happening(fault.kind, fault.target, started, play.now)
                play.history.happenings.append(happening)

    async def _recovered(self, play: Play) -> None:
        """Return once a write succeeded after the last fault, or the run is over."""
        happenings = play.history.happenings
        while happenings and play.last_done < happenings[-1].ended and not play.is_over:
            await pause(LOOK_S)

    def heal(self) -> None:
        """Let everything that was stopped or disturbed go on."""
        for link in self.links.values():
            link.heal()
        for name in self._names():
            self._signal(name, signal.SIGCONT)

    async def _inject(self, fault: Fault) -> bool:  # noqa: PLR0911 - one return for each kind.
        """Break one thing; say whether it was there to be broken."""
        if fault.kind in _SIGNALS:
            return self._signal(fault.target, _SIGNALS[fault.kind])
        if fault.kind == "stop":
            return await self._stop_for(self._pid(fault.target), fault.lasts_s)
        if fault.kind == "restart":
            return await self._restart(fault.target)
        if fault.kind == "skew":
            return await self._skew(fault)
        if fault.kind == "fill":
            return await self._fill(fault.lasts_s)
        if fault.kind == "kill_at_commit":
            return await self._kill_at_commit(fault.target)
        if fault.kind in _OF_BACKENDS:
            return await self._break_backends(fault)
        return await self._disturb(self.links[fault.target], fault)

    async def _restart(self, name: str) -> bool:
        """Ask a process to end, and wait until there is another one, or it took too long."""
        before = self._pid(name)
        if not _signal(before, signal.SIGTERM):
            return False
        ends = time.monotonic() + RESTARTS_S
        while self._pid(name) in {before, None} and time.monotonic() < ends:
            await pause(LOOK_S)
        return True

    async def _skew(self, fault: Fault) -> bool:
        """Let the clock of a process be wrong for a while; it was right before and is after."""
        clock = self.clocks.get(fault.target.partition(" ")[0])
        if clock is None:
            return False
        set_clock(clock, SKEWS[fault.target])
        await pause(CLOCK_READ_S + fault.lasts_s)
        set_clock(clock, 0)
        await pause(CLOCK_READ_S)
        return True

    async def _fill(self, seconds: float) -> bool:
        """Let the disk be full for a while, and PostgreSQL need more of it than it has put by."""
        if self.disk is None:
            return False
        await asyncio.to_thread(self.disk.fill)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            await self._ask(_NEXT_SEGMENT)
            await pause(LOOK_S)
        self.disk.free()
        return True

    async def _break_backends(self, fault: Fault) -> bool:
        if fault.kind == "terminate":
            return await self._ask(_TERMINATE) is not None
        pid = await self._ask(_BACKEND)  # One that holds locks of rows for inventory, or any.
        if fault.kind == "stop_backend":
            return await self._stop_for(pid, fault.lasts_s)
        return _signal(pid, signal.SIGKILL)

    async def _disturb(self, link: Link, fault: Fault) -> bool:
        match fault.kind:
            case "hang":
                link.is_hanging = True
            case "delay":
                link.delay_s = DELAY_S
            case "lose":
                link.is_losing = True
            case "half_answers":
                link.is_halving = True
            case "cut_commits":
                link.cuts_commits = True
            case "lose_commits":
                link.loses_commits = True
        await pause(fault.lasts_s)
        link.heal()
        if fault.kind in {"cut", "lose"}:
            link.cut()
        return True

    async def _kill_at_commit(self, target: str) -> bool:
        """Kill between a commit and its being known to who asked for it."""
        link, is_done = self.links["postgres"], asyncio.Event()

        def kill() -> None:
            self._signal(target, signal.SIGKILL)
            is_done.set()

        link.after_commit = kill
        waiting = asyncio.create_task(is_done.wait())
        await asyncio.wait([waiting], timeout=FOR_COMMIT_S)
        waiting.cancel()
        link.after_commit = None
        return is_done.is_set()

    async def _stop_for(self, pid: int | None, seconds: float) -> bool:
        if not _signal(pid, signal.SIGSTOP):
            return False
        try:
            await pause(seconds)
        finally:
            _signal(pid, signal.SIGCONT)
        return True

    async def _ask(self, statement: str) -> int | None:
        try:
            connection = await asyncpg.connect(self.stack.superuser_dsn)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return None
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            found: int | None = await connection.fetchval(statement)
            await connection.close()
            return found
        return None

    def _names(self) -> list[str]:
        note = Instance(self.stack.folder).find()
        return list(note.pids) if note is not None else []

    def _pid(self, name: str) -> int | None:
        """Return the process of that name, if it is there and the system's own."""
        note = Instance(self.stack.folder).find()
        if note is None or name not in note.pids:
            return None
        try:
            above = {parent.pid for parent in psutil.Process(note.pids[name]).parents()}
        except psutil.NoSuchProcess:
            return None
        return note.pids[name] if note.pid in above else None

    def _signal(self, name: str, number: signal.Signals) -> bool:
        return _signal(self._pid(name), number)


def _signal(pid: int | None, number: signal.Signals) -> bool:
    """Send a signal; say whether there was somebody to send it to."""
    if pid is None:
        return False
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


_SIGNALS = {"kill": signal.SIGKILL, "immediate": signal.SIGQUIT}
_OF_BACKENDS = {"terminate", "kill_backend", "stop_backend"}
_BACKEND = """
SELECT a.pid FROM pg_stat_activity a LEFT JOIN pg_locks l
    ON l.pid = a.pid AND l.locktype = 'relation' AND l.mode = 'RowShareLock'
WHERE a.usename = 'inventory_app' AND a.backend_type = 'client backend'
ORDER BY l.pid IS NOT NULL DESC, a.state = 'active' DESC, random() LIMIT 1"""
_NEXT_SEGMENT = "SELECT length(pg_switch_wal()::text)"
_TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"""
