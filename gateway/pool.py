"""Connections to one service: kept alive, bounded, waited for in order."""

import asyncio
from collections import deque
from typing import Final
from urllib.parse import urlsplit

from gateway.connection import Connection

CONNECT_TIMEOUT_S: Final = 2.0
IDLE_MAX_S: Final = 60.0  # Shorter than the services' keep-alive of 75 s: we close first.
WAITERS_MAX: Final = 1024


class UnreachableError(Exception):
    """The service takes no connection, or too many requests already wait for one."""


class Pool:
    """Lends connections to one service.

    A connection is in one of three places: lent, idle, or handed to the waiter that was next.
    """

    def __init__(self, url: str, *, size: int) -> None:
        """Take the service's base address; http only, since TLS ends before the services."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{url!r} is no http:// address")
        self.authority = parts.netloc.encode("ascii")
        self._host = parts.hostname
        self._port = parts.port or 80
        self._size = size
        self._open = 0
        self._idle: list[Connection] = []
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()

    async def acquire(self, deadline: float, *, fresh: bool = False) -> tuple[Connection, bool]:
        """Return (connection, whether it was used before). Raises UnreachableError.

        Waits until `deadline`, in the event loop's time. `fresh` asks for a new one, after an
        old one turned out to be dead.
        """
        if not fresh:
            while self._idle:
                connection = self._idle.pop()  # The one used last: it is the surest to be alive.
                if connection.is_usable and not self._is_stale(connection):
                    return connection, True
                connection.close()
        if self._open < self._size:
            self._open += 1
        else:
            handed = await self._wait(deadline)
            if handed is not None:
                return handed, True
        return await self._connect(), False

    def release(self, connection: Connection) -> None:
        """Take back a connection that is fit for another request."""
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(connection)
        else:
            connection.idle_since = connection.loop.time()
            self._idle.append(connection)

    def forget(self, connection: Connection) -> None:
        """Note that a connection has ended; its place goes to whoever waits."""
        if connection in self._idle:
            self._idle.remove(connection)
        self._give_place()

    def close(self) -> None:
        """Close what is idle."""
        for connection in [*self._idle]:
            connection.close()

    async def _connect(self) -> Connection:
        """Open a connection in a place already counted."""
        loop = asyncio.get_running_loop()
        connection = Connection(self, loop)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await loop.create_connection(lambda: connection, self._host, self._port)
        except OSError as error:  # A TimeoutError too is one.
            self._give_place()
            raise UnreachableError from error
        except asyncio.CancelledError:
            if connection.closed:
                self._give_place()
            else:
                connection.close()  # Made just as we were cancelled: `forget` gives its place.
            raise
        return connection

    async def _wait(self, deadline: float) -> Connection | None:
        """Wait for a connection, or (None) for a place to open one. Raises UnreachableError."""
        if len(self._waiters) >= WAITERS_MAX:
            raise UnreachableError
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout_at(deadline):
                return await waiter
        except (TimeoutError, asyncio.CancelledError) as error:
            if waiter.done() and not waiter.cancelled():
                self._put_back(waiter.result())  # Handed over just as we gave up.
            if isinstance(error, TimeoutError):
                raise UnreachableError from error
            raise

    def _put_back(self, handed: Connection | None) -> None:
        if handed is None:
            self._give_place()
        else:
            self.release(handed)

    def _give_place(self) -> None:
        waiter = self._next_waiter()
        if waiter is None:
            self._open -= 1
        else:
            waiter.set_result(None)

    def _next_waiter(self) -> asyncio.Future[Connection | None] | None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    def _is_stale(self, connection: Connection) -> bool:
        return connection.loop.time() - connection.idle_since > IDLE_MAX_S
