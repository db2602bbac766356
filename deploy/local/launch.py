"""Starting processes: programs by exec, Python modules by fork from one that is warm."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.local.children import die_with_parent
from deploy.local.errors import StackError
from deploy.local.private import open_private
from deploy.local.settings import ROOT

# The C library's allocator keeps what it once needed, unless told the sizes (in bytes) above which
# it returns memory to the system; without this one bulk import stays in every process it touched.
GIVE_MEMORY_BACK: Mapping[str, str] = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "262144",
    "MALLOC_TRIM_THRESHOLD_": "262144",
}
LINE_MAX = 1_000_000  # bytes of one line of output


@dataclass(frozen=True)
class Program:
    """What to start; `stop_signal` is the one that asks it to end."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    stop_signal: signal.Signals = signal.SIGTERM


class Running(Protocol):
    """A process that was started; `returncode` is None while it lives."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    @property
    def stdout(self) -> asyncio.StreamReader | None: ...
    def send_signal(self, signal: int) -> None: ...


class Launcher(Protocol):
    async def __call__(self, program: Program) -> Running: ...


async def execute(program: Program) -> Process:
    """Start a program; raises StackError when there is no such thing."""
    try:
        return await asyncio.create_subprocess_exec(
            *program.command,
            env=dict(program.environment),
            cwd=program.folder,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            limit=LINE_MAX,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, who keeps order.
            preexec_fn=die_with_parent(program.stop_signal),
        )
    except OSError as error:
        raise StackError(f"{program.name} cannot be started: {error}") from error


@dataclass
class Forked:
    """A process that the forker started. Its parent is the forker, who tells of its end."""

    pid: int
    stdout: asyncio.StreamReader | None
    returncode: int | None = None

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)


class Forker:
    """The supervisor's end of deploy.local.forker; started on first use and again if it dies."""

    def __init__(self, log_path: Path) -> None:
        self._log_path = log_path
        self._one_at_a_time = asyncio.Lock()
        self._process: Process | None = None
        self._control: socket.socket | None = None
        self._listener: asyncio.Task[None] | None = None
        self._next: asyncio.Future[Forked] | None = None
        self._children: dict[int, Forked] = {}

    async def warm_up(self) -> None:
        """Start the forker, so that it imports while other things are being done."""
        async with self._one_at_a_time:
            await self._open()

    async def __call__(self, program: Program) -> Forked:
        """Start `python -m module arguments` as a fork; raises StackError when that fails."""
        read_end, write_end = os.pipe()
        try:
            async with self._one_at_a_time:
                child = await self._request(program, write_end)
        except OSError as error:
            os.close(read_end)
            raise StackError(
                f"{program.name} cannot be started: {error}; see {self._log_path}"
            ) from error
        finally:
            os.close(write_end)
        child.stdout = await _reader_of(read_end)
        return child

    async def close(self) -> None:
        """End the forker, and with it whatever it started that still lives."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.wait([self._listener])

    async def _request(self, program: Program, output: int) -> Forked:
        control = await self._open()
        request = {
            "module": program.command[2],
            "arguments": list(program.command[3:]),
            "environment": dict(program.environment),
            "folder": str(program.folder),
        }
        self._next = asyncio.get_running_loop().create_future()
        text = json.dumps(request).encode() + b"\n"
        sent = socket.send_fds(control, [text], [output])
        await asyncio.get_running_loop().sock_sendall(control, text[sent:])
        return await self._next

    async def _open(self) -> socket.socket:
        if self._control is not None:
            return self._control
        ours, theirs = socket.socketpair()
        with theirs, open_private(self._log_path, "a") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "deploy.local.forker", str(theirs.fileno())),
                env={**os.environ, **GIVE_MEMORY_BACK, "PYTHONUNBUFFERED": "1"},
                cwd=ROOT,
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )
        ours.settimeout(0)  # What asyncio asks of a socket.
        self._control = ours
        self._listener = asyncio.create_task(self._listen(ours))
        return ours

    async def _listen(self, control: socket.socket) -> None:
        buffer = b""
        while chunk := await self._receive(control):
            *lines, buffer = (buffer + chunk).split(b"\n")
            for line in lines:
                self._hear(json.loads(line))
        # The forker is gone, and all it started has been sent SIGTERM by the kernel.
        self._control = None
        control.close()
        for child in self._children.values():
            child.returncode = -signal.SIGTERM
        self._children.clear()
        if self._next is not None and not self._next.done():
            self._next.set_exception(OSError("the process that starts others has ended"))

    async def _receive(self, control: socket.socket) -> bytes:
        try:
            return await asyncio.get_running_loop().sock_recv(control, LINE_MAX)
        except OSError:
            return b""

    def _hear(self, message: dict[str, int]) -> None:
        if "started" in message:
            child = Forked(message["started"], None)
            self._children[child.pid] = child
            if self._next is not None and not self._next.done():
                self._next.set_result(child)
        else:
            ended = self._children.pop(message["ended"], None)
            if ended is not None:
                ended.returncode = message["code"]


async def _reader_of(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=LINE_MAX)
    pipe = os.fdopen(descriptor, "rb", 0)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    return reader
