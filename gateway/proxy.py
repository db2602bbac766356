"""A request to its service and the answer back, both re-framed, both streamed.

In the usual case (no body, or a small one; an answer that arrives in one piece) one future is all
that is waited for. What is slower costs one more task: a large body is pumped beside the answer,
and a client whose answer takes a while is watched, lest we work for nobody.
"""

import asyncio
import time
from collections.abc import Mapping
from functools import cache
from typing import Final

import structlog
from prometheus_client import Counter

from gateway import metrics
from gateway.body import ClientGoneError, RequestBody
from gateway.call import Call
from gateway.connection import Connection, ConnectionLostError, GarbageError, Response
from gateway.errors import BadGateway, RequestTimeout, ServiceAway, ServiceTooSlow
from gateway.headers import answer_headers
from gateway.pool import Pool, UnreachableError
from gateway.routes import Route
from shared.errors import ContentTooLarge, Problem

PATIENCE_S: Final = 0.05  # So long without an answer, and we watch whether the client is there.
BODY_IDLE_MAX_S: Final = 30.0  # Between two parts of an answer's body.

_SAFE: Final = frozenset({"GET", "HEAD"})
_TAKES_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_BODILESS: Final = frozenset({204, 304})
_SERVER_ERROR: Final = 500

log = structlog.get_logger()


class Proxy:
    """Forwards calls, over one pool of connections per service."""

    def __init__(self, pools: Mapping[str, Pool], body_max: int) -> None:
        """No body is larger than `body_max` bytes, whatever its route allows."""
        self._pools = pools
        self._body_max = body_max

    async def forward(self, call: Call, route: Route) -> None:
        """Carry a call to its service and back.

        Raises Problem as long as the answer has not begun; later it can only be broken off.
        """
        body_max = min(self._body_max, route.body_max)
        exchange = Exchange(call, route, self._pools[route.service], body_max)
        outcome = "failed"
        try:
            await exchange.run()
            outcome = "ok" if call.status < _SERVER_ERROR else "error"
        except ClientGoneError:
            outcome = "abandoned"
        except (
            Problem,
            UnreachableError,
            ConnectionLostError,
            GarbageError,
            TimeoutError,
        ) as error:
            reason = _explain(error, route.service, request_sent=exchange.request_sent)
            outcome = reason.slug
            if not call.status:
                raise reason from None
            log.warning("answer broken off", upstream=route.service, reason=reason.slug)
        finally:
            exchange.end()
            _count(route.service, outcome).inc()


class Exchange:
    """One request and its answer, on one connection (on a second one, should the first be dead)."""

    def __init__(self, call: Call, route: Route, pool: Pool, body_max: int) -> None:
        self.request_sent = False
        self._call = call
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self._timeout_s = route.timeout_s
        self._deadline = self._loop.time() + route.timeout_s
        self._body = RequestBody(call.receive, body_max)
        self._body_max = body_max
        self._connection: Connection | None = None
        self._response: Response | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._client: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Send the request, pass the answer back."""
        head = self._call.head
        if not head.has_body:
            self._body.complete = True
            response = await self._send_whole(b"")
        elif head.content_length > self._body_max:
            raise ContentTooLarge(limit_bytes=self._body_max)
        else:
            async with asyncio.timeout_at(self._deadline):
                first = await self._body.gather()
            whole = self._body.complete
            response = await (self._send_whole(first) if whole else self._send_streaming(first))
        await self._pass_back(response)

    def end(self) -> None:
        """Stop whatever still runs, and give the connection back."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._client is not None:
            self._client.cancel()
        if self._connection is not None:
            self._connection.finish(request_sent=self.request_sent)
        self._call.request_bytes = self._body.length

    async def _send_whole(self, body: bytes) -> Response:
        """Send a request in one piece and wait for the head of its answer.

        A kept connection may have been closed by the service just now. Then a GET or HEAD is sent
        again, once, on a new one; anything else might have been carried out already.
        """
        method = self._call.method
        framing = b""
        if body or method in _TAKES_BODY:
            framing = b"content-length: %d\r\n" % len(body)
        request = self._request_head(framing) + body
        retried = False
        while True:
            connection, used = await self._pool.acquire(self._deadline, fresh=retried)
            response = self._begin(connection)
            connection.write(request)
            self.request_sent = True
            try:
                await response.head()
            except ConnectionLostError as lost:
                if lost.answered or retried or not used or method not in _SAFE:
                    raise
                connection.finish()
                retried = True
            else:
                return response

    async def _send_streaming(self, first: bytes) -> Response:
        """Send a request whose body is still arriving, and wait for the head of its answer."""
        declared = self._call.head.content_length
        framing = (
            b"content-length: %d\r\n" % declared if declared else b"transfer-encoding: chunked\r\n"
        )
        connection, _ = await self._pool.acquire(self._deadline)
        response = self._begin(connection)
        connection.write(self._request_head(framing))
        self._client = asyncio.create_task(self._pump(connection, first, chunked=not declared))
        await response.head()
        return response

    def _begin(self, connection: Connection) -> Response:
        self._connection = connection
        self._response = connection.begin(head_only=self._call.method == "HEAD")
        if self._alarm is None:
            self._alarm = self._loop.call_later(PATIENCE_S, self._lose_patience)
        return self._response

    async def _pump(self, connection: Connection, part: bytes, *, chunked: bool) -> None:
        """Send the body as it arrives; then watch the client. Failures end the answer's wait."""
        try:
            while True:
                if part:
                    connection.write(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
                    await connection.drain()
                if self._body.complete:
                    break
                part = await self._body.next()
            if chunked:
                connection.write(b"0\r\n\r\n")
            self.request_sent = True
            await self._watch_client()
        except (ClientGoneError, ContentTooLarge, ConnectionLostError) as error:
            self._fail(error)

    async def _watch_client(self) -> None:
        await self._body.wait_for_departure()
        self._fail(ClientGoneError())

    def _start_watching(self) -> None:
        if self._client is None:
            self._client = asyncio.create_task(self._watch_client())

    def _lose_patience(self) -> None:
        """Nothing yet: from now on watch the client, and set the alarm to the deadline."""
        self._start_watching()
        self._alarm = self._loop.call_at(self._deadline, self._fail, TimeoutError())

    def _fail(self, error: Exception) -> None:
        """End the wait for whichever answer is waited for now."""
        if self._response is not None:
            self._response.fail(error)

    async def _pass_back(self, response: Response) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        headers = answer_headers(
            response.headers,
            has_body=response.status not in _BODILESS,
            is_cacheable=self._call.is_cacheable,
        )
        if not self.request_sent:  # The rest of the body would be taken for the next request.
            headers.append((b"connection", b"close"))
        await self._call.begin(response.status, headers)
        if not response.complete:
            await self._call.write(b"", more=True)  # The head need not wait for the body.
            self._start_watching()
        while not response.complete:
            async with asyncio.timeout(BODY_IDLE_MAX_S):
                part = await response.read()
            if response.complete:
                await self._call.write(part, more=False)
                return
            await self._call.write(part, more=True)
        await self._call.write(response.take(), more=False)

    def _request_head(self, framing: bytes) -> bytes:
        """Return the request line and headers, all of them written by us."""
        call = self._call
        client = call.scope.get("client")
        language = call.user_language
        return b"".join(
            (
                call.method.encode(), b" ", call.target, b" HTTP/1.1\r\n",
                b"host: ", self._pool.authority, b"\r\n",
                *call.head.passing,
                framing,
                b"x-user-language: %b\r\n" % language.encode() if language else b"",
                b"x-request-id: ", call.request_id, b"\r\n",
                b"traceparent: ", call.traceparent, b"\r\n",
                b"x-request-deadline: %.3f\r\n" % (time.time() + self._timeout_s),
                b"x-forwarded-for: ", client[0].encode() if client else b"unknown", b"\r\n",
                b"x-forwarded-proto: ", call.scope["scheme"].encode(), b"\r\n",
                b"x-forwarded-host: ", call.head.read.get(b"host", b""), b"\r\n\r\n",
            )
        )  # fmt: skip


@cache  # Services and outcomes are few.
def _count(service: str, outcome: str) -> Counter:
    return metrics.upstream_requests.labels(service, outcome)


def _explain(error: Exception, service: str, *, request_sent: bool) -> Problem:
    """Return what the client is told of a failure."""
    match error:
        case Problem():
            return error
        case UnreachableError():
            return ServiceAway(service=service)
        case TimeoutError():
            return ServiceTooSlow(service=service) if request_sent else RequestTimeout()
        case _:
            return BadGateway(service=service)
