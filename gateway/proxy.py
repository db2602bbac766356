"""A request to its service and the answer back, both re-framed, both streamed.

No task and no future is made for a request: bytes that arrive on one side are what moves it on. A
body is taken in first, up to a bound, and only then a connection to the service is taken; a larger
one is passed on as it comes, at the pace of who reads it. Time limits are looked at in turns.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final

import structlog

from gateway import metrics
from gateway.call import Call
from gateway.connection import Connection, Lender
from gateway.errors import BadGateway, BodiesFull, RequestTimeout, ServiceTooSlow
from gateway.headers import answer_headers
from gateway.pool import Service
from gateway.routes import Route
from gateway.shares import Holder, Shares
from gateway.wire import BODILESS, LAST_CHUNK
from shared.errors import ContentTooLarge, Problem
from shared.limits import BULK_LIMIT_BYTES

BUFFERED_MAX: Final = 262_144  # A body up to this size is forwarded in one piece, in bytes.
BUFFERED_TOTAL: Final = 67_108_864  # All bodies that are being taken in, in bytes.
BUFFERED_SHARE: Final = 0.125  # Of it, for one user; twice as much for one tenant.
ANSWER_BUFFERED_MAX: Final = 262_144  # Held back for a slow reader before we stop reading.
BODY_IDLE_MAX_S: Final = 10.0  # Between two parts of a request's body.
BODY_PACE: Final = 16_384  # Bytes of a large body that must come at least
BODY_PACE_S: Final = 10.0  # in so long, while it is we who wait.
ANSWER_IDLE_MAX_S: Final = 30.0  # Between two parts of an answer's body.
STANDING_S: Final = 0.1  # So long after it was judged, a caller is looked at again.
TRIES_MAX: Final = 2

_SAFE: Final = frozenset({"GET", "HEAD"})
_TAKES_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_SERVER_ERROR: Final = 500

log = structlog.get_logger()


class Proxy:
    """Forwards calls, over one pool of connections per service."""

    def __init__(
        self,
        services: Mapping[str, Service],
        body_max: int,
        default_language: str,
        require_standing: Callable[[Call, Route], None],
    ) -> None:
        """No body is larger than `body_max` bytes, but for those of routes that take files.

        `require_standing` raises the Problem that by now keeps a caller out.
        """
        self.services = services
        self.default_language = default_language
        self.require_standing = require_standing
        self.bodies = Shares(BUFFERED_TOTAL, user=BUFFERED_SHARE, tenant=2 * BUFFERED_SHARE)
        self.running: set[Exchange] = set()
        self._body_max = body_max

    @cached_property  # Asking for it is a system call in CPython 3.11.
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that all of it runs in."""
        return asyncio.get_running_loop()

    def forward(self, call: Call, route: Route) -> None:
        """Carry a call to its service and back; it is answered whatever happens."""
        if call.is_over:
            return
        streams = route.body_max > BULK_LIMIT_BYTES
        body_max = route.body_max if streams else min(self._body_max, route.body_max)
        exchange = Exchange(self, call, route, body_max)
        self.running.add(exchange)
        exchange.start()

    def tick(self, now: float) -> None:
        """Look at the time limits. To be called several times a second."""
        for service in self.services.values():
            service.sweep(now)
        for exchange in [*self.running]:
            exchange.check(now)


class Exchange:
    """One request and its answer, on one connection (on a second one, should the first be dead)."""

    __slots__ = (
        "_body_max", "_buffered", "_call", "_connection", "_has_deadline", "_judged_at", "_loop",
        "_moved_at", "_pace_from", "_pace_length", "_parts", "_proxy", "_request", "_route",
        "_service", "_tries", "avoided", "deadline", "holder", "is_over", "is_stream", "queued_at",
        "request_sent",
    )  # fmt: skip

    def __init__(self, proxy: Proxy, call: Call, route: Route, body_max: int) -> None:
        self.holder: Holder = call.holder
        self.is_stream = False
        self.queued_at = 0.0
        self.avoided: Lender | None = None
        self.request_sent = False
        self.is_over = False
        self._proxy = proxy
        self._call = call
        self._route = route
        self._service = proxy.services[route.service]
        self._body_max = body_max
        self._loop = proxy.loop
        self._moved_at = self._pace_from = self._judged_at = self._loop.time()
        self._pace_length = 0
        # A large file may take its time, as long as it moves; then the service has its own.
        self._has_deadline = body_max <= BULK_LIMIT_BYTES
        self.deadline = self._moved_at + route.timeout_s
        self._parts = call.parts
        self._buffered = 0  # Bytes counted against the shares of memory.
        self._connection: Connection | None = None
        self._request = b""  # Whole, as long as it may have to be sent again.
        self._tries = 0

    def start(self) -> None:
        """Take the request over."""
        call = self._call
        call.receiver = self
        length = call.body_length if call.body_complete else call.head.content_length
        if length > self._body_max:
            self._fail(ContentTooLarge(limit_bytes=self._body_max))
        elif call.body_complete:
            self._ask()
        else:
            call.want_body()
            self._on_more(call.body_length)

    def check(self, now: float) -> None:
        """Look at the time limits."""
        call, connection = self._call, self._connection
        if call.status:
            if (
                connection is not None
                and not call.is_blocked
                and now - self._moved_at > ANSWER_IDLE_MAX_S
            ):
                self._fail(ServiceTooSlow(service=self._service.name))
        elif not call.body_complete:
            if not self._stands(now):
                return
            waits_for_client = connection is None or not connection.is_full
            if waits_for_client and (self._is_body_slow(now) or self._is_late(now)):
                self._fail(RequestTimeout())
        elif self._is_late(now):
            self._fail(ServiceTooSlow(service=self._service.name))

    def _stands(self, now: float) -> bool:
        """Say whether the caller may still do what he asked for a while ago; else it is refused."""
        if now - self._judged_at < STANDING_S:
            return True
        self._judged_at = now
        try:
            self._proxy.require_standing(self._call, self._route)
        except Problem as problem:
            self._fail(problem)
            return False
        return True

    def _is_late(self, now: float) -> bool:
        return self._has_deadline and now > self.deadline

    def _is_body_slow(self, now: float) -> bool:
        if now - self._moved_at > BODY_IDLE_MAX_S:
            return True
        if now - self._pace_from <= BODY_PACE_S:
            return False
        is_slow = self._call.body_length - self._pace_length < BODY_PACE
        self._pace_from, self._pace_length = now, self._call.body_length
        return is_slow

    # The request's body

    def on_body(self, part: bytes) -> None:
        connection = self._connection
        if connection is None:
            self._parts.append(part)
        elif not self.request_sent:
            self._send_part(connection, part)
        self._on_more(len(part))

    def on_body_end(self) -> None:
        if not self._has_deadline:
            self._has_deadline = True
            self.deadline = self._loop.time() + self._route.timeout_s
        connection = self._connection
        if connection is not None:
            if not self._call.head.content_length:
                connection.write(LAST_CHUNK)
            self.request_sent = True
        elif not self.is_stream:
            self._ask()

    def _on_more(self, length: int) -> None:
        if self.is_over:
            return
        call = self._call
        self._moved_at = self._loop.time()
        if call.body_length > self._body_max:
            self._fail(ContentTooLarge(limit_bytes=self._body_max))
        elif self._connection is None:
            if not self._proxy.bodies.take(self.holder, length):
                self._fail(BodiesFull())
                return
            self._buffered += length
            if call.body_length > BUFFERED_MAX:
                call.pause_body()
                if not self.is_stream:
                    self.is_stream = True
                    self._ask()
        elif self._connection.is_full:
            call.pause_body()

    def _send_part(self, connection: Connection, part: bytes) -> None:
        if self._call.head.content_length:
            connection.write(part)
        else:
            connection.write(b"%x\r\n%b\r\n" % (len(part), part))

    # The connection

    def _ask(self) -> None:
        try:
            connection = self._service.take(self, self._loop.time())
        except Problem as problem:
            self._fail(problem)
        else:
            if connection is not None:
                self.on_connection(connection)

    def on_connection(self, connection: Connection) -> None:
        """Send the request, as far as it is there."""
        call = self._call
        self._connection = connection
        if not self._stands(self._loop.time()):
            return
        if self._tries == 0:
            self._service.budget.earn()
        self._tries += 1
        connection.begin(self, head_only=call.method == "HEAD")
        if call.body_complete:
            if not self._request:
                body = b"".join(self._parts) if self._parts else b""
                framing = b""
                if body or call.method in _TAKES_BODY:
                    framing = b"content-length: %d\r\n" % len(body)
                self._request = self._head_for(connection.instance, framing) + body
            self.request_sent = True
            connection.write(self._request)
        else:
            length = call.head.content_length
            framing = b"transfer-encoding: chunked\r\n"
            if length:
                framing = b"content-length: %d\r\n" % length
            connection.write(self._head_for(connection.instance, framing))
            for part in self._parts:
                self._send_part(connection, part)
            if not connection.is_full:
                call.want_body()
        self._forget_body()

    def on_refused(self, problem: Problem) -> None:
        self._fail(problem)

    def on_full(self) -> None:
        if not self._call.body_complete:
            self._call.pause_body()

    def on_drained(self) -> None:
        self._moved_at = self._pace_from = self._loop.time()
        if not self._call.body_complete:
            self._call.want_body()

    def on_lost(self) -> None:
        """Send again what may be sent again: a kept connection may just have been closed."""
        connection = self._connection
        assert connection is not None  # noqa: S101  Only one that we hold tells us.
        now = self._loop.time()
        if not connection.used or connection.started:
            connection.instance.breaker.failed(now)
        if self._may_try_again(connection):
            self.avoided = connection.instance
            connection.instance.drop_idle()
            connection.finish()
            self._connection = None
            self._ask()
        else:
            self._fail(BadGateway(service=self._service.name))

    def on_garbage(self) -> None:
        if self._connection is not None:
            self._connection.instance.breaker.failed(self._loop.time())
        self._fail(BadGateway(service=self._service.name))

    def on_raw(self, data: bytes) -> None:
        """Nothing: only a tunnel is switched."""

    def _may_try_again(self, connection: Connection) -> bool:
        """Say whether sending it twice does no harm: GET, HEAD, and what carries a key for that."""
        return (
            self._tries < TRIES_MAX
            and not connection.started
            and bool(self._request)
            and (self._call.method in _SAFE or b"idempotency-key" in self._call.head.read)
            and self._service.budget.spend()
        )

    # The answer

    def on_progress(self) -> None:
        call, connection = self._call, self._connection
        assert connection is not None  # noqa: S101  Only one that we hold tells us.
        if not call.status:
            status = connection.status
            headers = answer_headers(
                connection.headers,
                has_body=status not in BODILESS,
                is_cacheable=call.is_cacheable,
            )
            # The rest of the body would be taken for the next request.
            call.begin(status, headers, close=not call.body_complete)
            if not connection.complete and not connection.parts:
                call.write(b"", more=True)  # The head need not wait for the body.
        self._pass_on()

    def on_client_ready(self) -> None:
        if self._connection is not None and self._call.status:
            self._pass_on()

    def on_client_gone(self) -> None:
        self._end("abandoned")

    def _pass_on(self) -> None:
        """Write what has arrived, at the pace of the client."""
        call, connection = self._call, self._connection
        assert connection is not None  # noqa: S101  There is an answer.
        if call.is_encoding or (call.is_blocked and not connection.complete):
            if connection.size > ANSWER_BUFFERED_MAX:
                connection.pause_reading()
            return
        part = connection.take()
        if connection.complete:
            now = self._loop.time()
            connection.instance.breaker.succeeded(now)
            self._end("ok" if call.status < _SERVER_ERROR else "error")
            call.write(part, more=False)
        else:
            self._moved_at = self._loop.time()
            connection.resume_reading()
            if part:
                call.write(part, more=True)

    # The end

    def _fail(self, problem: Problem) -> None:
        """Tell the client; once its answer has begun, it can only be broken off."""
        if self.is_over:
            return
        call = self._call
        if isinstance(problem, ServiceTooSlow) and self._connection is not None:
            self._connection.instance.breaker.failed(self._loop.time())
        self._end(problem.slug)
        if not call.status:
            call.refuse(problem, self._proxy.default_language)
        else:
            log.warning("answer broken off", upstream=self._service.name, reason=problem.slug)
            call.break_off()

    def _end(self, outcome: str) -> None:
        """Let go of everything that is held."""
        if self.is_over:
            return
        self.is_over = True
        self._call.receiver = None
        self._proxy.running.discard(self)
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.finish(request_sent=self.request_sent)
        else:
            self._service.leave(self)
        self._forget_body()
        metrics.upstream.add(self._service.name, outcome)

    def _forget_body(self) -> None:
        self._parts = []
        if self._buffered:
            self._proxy.bodies.give_back(self.holder, self._buffered)
            self._buffered = 0

    def _head_for(self, upstream: Lender, framing: bytes) -> bytes:
        left_s = max(self.deadline - self._loop.time(), 0) if self._has_deadline else None
        return self._call.forwarded_head(upstream.authority, framing, left_s)
