"""A small TCP fault proxy: links that delay, cut, lose and halve what passes, when told to."""

import asyncio
import random
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from tests.support.waiting import pause

CHUNK = 65_536  # bytes
COMMIT = b"COMMIT"  # As drivers send it.
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]


class Link:
    """Passes bytes on between who connects and what `connect` gives, until told otherwise."""

    def __init__(self, connect: Connect, seed: str) -> None:
        self._connect = connect
        self._chance = random.Random(seed)
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.heal()

    def heal(self) -> None:
        """Pass everything on from now on, at once and whole."""
        self.delay_s = 0.0
        self.is_hanging = (
            False  # Nothing passes, either way, until it is healed: then all of it does.
        )
        self.is_losing = False  # Answers do not arrive; later the connection ends.
        self.is_halving = False  # Of the next answer on each connection only the beginning arrives.
        # Of the next COMMIT of each connection: it is passed on, and the connection ends; or the
        # connection ends before.
        self.cuts_commits = False
        self.loses_commits = False
        self.after_commit: Callable[[], None] | None = None  # Called when the next was answered.

    def cut(self) -> None:
        """End every connection at once, with a reset."""
        for ours, theirs in list(self._pairs):
            _reset(ours)
            _reset(theirs)

    async def listen_tcp(self, port: int) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port)

    async def listen_unix(self, path: Path) -> None:
        self._server = await asyncio.start_unix_server(self._accept, path)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, to_there = await self._connect()
        except OSError:
            _reset(writer)
            return
        pair = writer, to_there
        self._pairs.add(pair)
        pumps = [
            asyncio.create_task(self._send(reader, to_there)),
            asyncio.create_task(self._answer(there, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            self._pairs.discard(pair)
            for end in pair:
                _reset(end)
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                await self._wait()
                if COMMIT in chunk and self.loses_commits:
                    return
                writer.write(chunk)
                await writer.drain()
                if COMMIT in chunk and self.cuts_commits:
                    return
                if COMMIT in chunk and self.after_commit is not None:
                    self._told_of_commit, self.after_commit = self.after_commit, None

    _told_of_commit: Callable[[], None] | None = None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                if self._told_of_commit is not None:
                    self._told_of_commit()
                    self._told_of_commit = None
                    return
                await self._wait()
                if self.is_halving:
                    writer.write(chunk[: self._chance.randrange(len(chunk))])
                    await writer.drain()
                    return
                if self.is_losing:
                    while self.is_losing:
                        await pause(0.02)
                    return
                writer.write(chunk)
                await writer.drain()

    async def _wait(self) -> None:
        while self.is_hanging:
            await pause(0.02)
        if self.delay_s:
            await pause(self.delay_s * self._chance.uniform(0.5, 1.5))


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection so that its other end sees a reset, where it is TCP."""
    held: socket.socket | None = writer.get_extra_info("socket")
    if held is not None and held.family == socket.AF_INET:
        with suppress(OSError):
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
