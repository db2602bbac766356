"""Connections to the instances of one service: kept, bounded, shared out, waited for in order.

A request gets a connection at once, waits for one, or is refused. The wait is bounded in number and
in time, and the time grows short when the queue has not been empty for a while (B. Maurer, "Fail at
scale", ACM Queue 13(8), 2015): who is served is served in time, the others learn it soon.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from functools import cached_property
from math import ceil
from typing import Final, Protocol
from urllib.parse import urlsplit

from gateway import metrics
from gateway.breaker import Breaker, Circuit, RetryBudget
from gateway.connection import Connection, Lender
from gateway.errors import Overloaded, ServiceAway
from gateway.shares import Holder, Shares
from shared.errors import Problem

CONNECT_TIMEOUT_S: Final = 2.0
IDLE_MAX_S: Final = 60.0  # Shorter than the services' keep-alive of 75 s: we close first.
WAITERS_MAX: Final = 1024
STREAMS_PART: Final = 4  # One connection in so many may carry a body that is still arriving.
WAIT_MAX_S: Final = 2.0  # In the queue, in calm times,
BUSY_WAIT_MAX_S: Final = 0.2  # and once the queue has not been empty
CALM_S: Final = 1.0  # for so long.


class Waiter(Protocol):
    """A request that wants a connection."""

    holder: Holder
    is_stream: bool  # Its body is still arriving.
    avoided: Lender | None  # The instance that has just failed it.
    queued_at: float

    def on_connection(self, connection: Connection) -> None:
        """Send the request on this."""

    def on_refused(self, problem: Problem) -> None:
        """There is no connection to be had."""


class Upstream:
    """One address of a service."""

    def __init__(self, service: "Service", url: str, secured: ssl.SSLContext | None) -> None:
        """Take a base address: https with what checks its certificate, http without."""
        parts = urlsplit(url)
        scheme = "http" if secured is None else "https"
        if parts.scheme != scheme or not parts.hostname:
            raise ValueError(f"{url!r} is no {scheme}:// address")
        self.authority = parts.netloc.encode("ascii")
        self.breaker = Breaker()
        self.idle: list[Connection] = []
        self.open = 0  # Connections: idle, in use, or being made.
        self.openings: set[asyncio.Task[None]] = set()
        self.address = (parts.hostname, parts.port or (80 if secured is None else 443))
        self.secured = secured
        self._service = service

    @property
    def busy(self) -> int:
        return self.open - len(self.idle)

    def start_opening(self) -> None:
        """Open a connection; the service hears of it, or that it failed."""
        self.open += 1
        opening = asyncio.get_running_loop().create_task(self._open())
        self.openings.add(opening)
        opening.add_done_callback(self.openings.discard)

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        connection = Connection(self)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await loop.create_connection(lambda: connection, *self.address, ssl=self.secured)
        except OSError:  # A TimeoutError too is one.
            self._abandon(connection)
            self.breaker.failed(loop.time())
            self._service.on_not_opened(self)
        except asyncio.CancelledError:
            self._abandon(connection)
            raise
        else:
            if not connection.closed:  # It may have been made and lost meanwhile.
                self.breaker.reached()
                self._service.on_free(connection)

    def _abandon(self, connection: Connection) -> None:
        if connection.closed:
            self.open -= 1
        else:
            connection.close()  # Made just as we gave up: `forget` gives its place.

    # Owner of connections

    def release(self, connection: Connection) -> None:
        self._service.give_back(connection)
        self._service.on_free(connection)

    def forget(self, connection: Connection) -> None:
        self.open -= 1
        if connection in self.idle:
            self.idle.remove(connection)
        self._service.give_back(connection)
        self._service.serve_waiting()

    def drop_idle(self) -> None:
        """Close what is idle: one of them has just turned out to be dead, and others may be."""
        for connection in [*self.idle]:
            connection.close()

    def close(self) -> None:
        """Close what is idle, open nothing more."""
        for connection in [*self.idle]:
            connection.close()
        for opening in [*self.openings]:
            opening.cancel()


class Apart:
    """Where a connection belongs that no pool lends: it is used once, by who asked for it."""

    def __init__(self, upstream: Upstream) -> None:
        self.authority = upstream.authority
        self.breaker = upstream.breaker
        self.idle: list[Connection] = []

    def release(self, connection: Connection) -> None:
        connection.close()

    def forget(self, connection: Connection) -> None:
        pass

    def drop_idle(self) -> None:
        pass


class Service:
    """Lends connections to the instances of a service: the least busy of those that are well."""

    def __init__(
        self, name: str, urls: Sequence[str], *, size: int, secured: ssl.SSLContext | None = None
    ) -> None:
        """`size` is how many connections there may be to each instance."""
        self.name = name
        self.instances = [Upstream(self, url, secured) for url in urls]
        self.budget = RetryBudget()
        whole = self.connections_max = size * len(self.instances)
        self._size = size
        self._shares = Shares(whole)
        self._stream_shares = Shares(max(whole // STREAMS_PART, 1))
        self._queue_shares = Shares(WAITERS_MAX, user=0.25, tenant=0.5)
        self._waiters: dict[Waiter, None] = {}  # In order; some leave early.
        self._empty_at = 0.0  # When nobody waited.

    @cached_property  # Asking for it is a system call in CPython 3.11.
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def take(self, waiter: Waiter, now: float) -> Connection | None:
        """Return a connection; or None, and the waiter hears of one, or that there is none.

        Raises ServiceAway, Overloaded.
        """
        instance = None
        if not self._waiters:
            self._empty_at = now
        if self._may_have_one(waiter):
            instance = self._choose(now, waiter.avoided)
            if instance is None:
                raise self._away(now)
            connection = self._find_idle(instance, now)
            if connection is not None:
                self._lend(connection, waiter)
                return connection
        elif not self._find_well():
            raise self._away(now)
        if not self._queue_shares.take(waiter.holder):
            metrics.shed.labels(self.name).inc()
            raise Overloaded(service=self.name)
        waiter.queued_at = now
        self._waiters[waiter] = None
        if instance is not None and instance.open < self._size:
            instance.start_opening()
        return None

    async def connect_apart(self) -> Connection:
        """Return a connection beside those of the pool. Raises ServiceAway, TimeoutError."""
        loop = self._loop
        instance = self._choose(loop.time(), None)
        if instance is None:
            raise self._away(loop.time())
        connection = Connection(Apart(instance))
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await loop.create_connection(
                    lambda: connection, *instance.address, ssl=instance.secured
                )
        except OSError:
            instance.breaker.failed(loop.time())
            raise self._away(loop.time()) from None
        return connection

    def leave(self, waiter: Waiter) -> None:
        """Stop waiting."""
        if waiter in self._waiters:
            del self._waiters[waiter]
            self._queue_shares.give_back(waiter.holder)

    def on_free(self, connection: Connection) -> None:
        """Hand a connection on to whoever waits, or keep it."""
        waiter = self._next_waiter() if self._waiters else None
        if waiter is not None:
            self._lend(connection, waiter)
            waiter.on_connection(connection)
        else:
            connection.idle_since = self._loop.time()
            connection.instance.idle.append(connection)

    def give_back(self, connection: Connection) -> None:
        """Return to its shares what was lent."""
        holder = connection.lent_to
        if holder is None:
            return
        connection.lent_to = None
        self._shares.give_back(holder)
        if connection.is_stream:
            connection.is_stream = False
            self._stream_shares.give_back(holder)

    def on_not_opened(self, instance: Upstream) -> None:
        """Try another instance for those who wait; refuse them if nothing can come of it."""
        others = [each for each in self.instances if each is not instance]
        self._open_more([each for each in others if each.breaker.is_closed])
        if self._waiters and not any(each.busy for each in self.instances):
            problem = self._away(self._loop.time())
            for waiter in [*self._waiters]:
                self.leave(waiter)
                waiter.on_refused(problem)

    def serve_waiting(self) -> None:
        """Use connections and places that have become free."""
        now = self._loop.time()
        while self._waiters:
            well = self._find_well()
            with_idle = [each for each in well if each.idle]
            if not with_idle:
                self._open_more(well)
                return
            connection = self._find_idle(min(with_idle, key=_by_business(now)), now)
            if connection is None:
                continue
            waiter = self._next_waiter()
            if waiter is None:
                connection.instance.idle.append(connection)
                return
            self._lend(connection, waiter)
            waiter.on_connection(connection)

    def sweep(self, now: float) -> None:
        """Refuse those who have waited too long. To be called several times a second."""
        if not self._waiters:
            self._empty_at = now
            return
        is_busy = now - self._empty_at > CALM_S
        wait_max_s = BUSY_WAIT_MAX_S if is_busy else WAIT_MAX_S
        for waiter in [each for each in self._waiters if now - each.queued_at > wait_max_s]:
            self.leave(waiter)
            metrics.shed.labels(self.name).inc()
            waiter.on_refused(Overloaded(service=self.name))
        self.serve_waiting()

    def forget_failures(self) -> None:
        """Take all instances to be well."""
        for instance in self.instances:
            instance.breaker = Breaker()

    def close(self) -> None:
        """Close what is idle, and open nothing more."""
        self._size = 0
        for instance in self.instances:
            instance.close()

    def circuit(self, now: float) -> Circuit:
        """Return what the breaker does; of several instances, the worst."""
        return max(each.breaker.state(now) for each in self.instances)

    def _away(self, now: float) -> Problem:
        wait_s = min(each.breaker.wait_s(now) for each in self.instances)
        return ServiceAway(service=self.name, retry_after_s=max(ceil(wait_s), 1))

    def _may_have_one(self, waiter: Waiter) -> bool:
        return self._shares.may_take(waiter.holder) and (
            not waiter.is_stream or self._stream_shares.may_take(waiter.holder)
        )

    def _choose(self, now: float, avoided: Lender | None) -> Upstream | None:
        """Return the least busy instance that is well; before it, one whose turn it is to try."""
        instances = self.instances
        if len(instances) == 1:
            only = instances[0]
            breaker = only.breaker
            is_well = breaker.is_closed or breaker.is_back or breaker.admits(now)
            return only if is_well else None
        for instance in instances:
            if not instance.breaker.is_closed and instance.breaker.admits(now):
                return instance
        well = self._find_well()
        others = [each for each in well if each is not avoided]
        return min(others or well, key=_by_business(now)) if well else None

    def _find_well(self) -> list[Upstream]:
        """Return the instances to ask: those that are well, or if none is, those that are back."""
        closed = [each for each in self.instances if each.breaker.is_closed]
        return closed or [each for each in self.instances if each.breaker.is_back]

    def _find_idle(self, instance: Upstream, now: float) -> Connection | None:
        while instance.idle:
            connection = instance.idle.pop()  # The one used last: it is the surest to be alive.
            if connection.is_usable and now - connection.idle_since <= IDLE_MAX_S:
                return connection
            connection.close()
        return None

    def _lend(self, connection: Connection, waiter: Waiter) -> None:
        holder = waiter.holder
        self._shares.add(holder)
        connection.lent_to = holder
        if waiter.is_stream:
            connection.is_stream = True
            self._stream_shares.add(holder)

    def _next_waiter(self) -> Waiter | None:
        """Return the first of those who wait whose shares are not used up; he waits no more."""
        for waiter in self._waiters:
            if self._may_have_one(waiter):
                self.leave(waiter)
                return waiter
        return None

    def _open_more(self, well: Sequence[Upstream]) -> None:
        wanted = len(self._waiters) - sum(len(each.openings) for each in well)
        by_business = _by_business(self._loop.time())
        for _ in range(wanted):
            roomy = [each for each in well if each.open < self._size]
            if not roomy:
                return
            min(roomy, key=by_business).start_opening()


def _by_business(now: float) -> Callable[[Upstream], tuple[bool, int]]:
    return lambda instance: (instance.breaker.is_doubtful(now), instance.busy)
