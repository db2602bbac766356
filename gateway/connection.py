"""One kept-alive HTTP/1.1 connection to a service, and the answer that is being read from it.

Only what is certainly whole and well-framed leaves a connection fit for another request; after
anything else it is closed.
"""

import asyncio
from typing import Final, Protocol, cast

import httptools

from gateway.asgi import Headers

BUFFERED_MAX: Final = 262_144  # Bytes of a body held back for a slow reader before we stop reading.
HEAD_LENGTH_MAX: Final = 65_536
HEADERS_MAX: Final = 200

_BODILESS: Final = frozenset({204, 304})
_FIRST_FINAL: Final = 200  # Below it: interim answers, which are skipped.


class ConnectionLostError(Exception):
    """The connection broke. `answered` tells whether any byte of the answer had arrived."""

    def __init__(self, *, answered: bool) -> None:
        super().__init__()
        self.answered = answered


class GarbageError(Exception):
    """What arrived is no HTTP answer."""


class Owner(Protocol):
    """Who lends connections out: the pool."""

    def release(self, connection: "Connection") -> None:
        """Take back a connection that is fit for another request."""

    def forget(self, connection: "Connection") -> None:
        """Note that a connection has ended."""


class Response:
    """An answer, as it arrives. `status` and `headers` are there once `head()` returned."""

    __slots__ = (
        "_chunks", "_connection", "_error", "_size", "_waiter", "complete", "head_only", "headers",
        "keep_alive", "started", "status",
    )  # fmt: skip

    def __init__(self, connection: "Connection", *, head_only: bool) -> None:
        self.status = 0
        self.headers: Headers = []
        self.complete = False
        self.started = False  # Some byte of it has arrived.
        self.head_only = head_only
        self.keep_alive = False
        self._connection = connection
        self._chunks: list[bytes] = []
        self._size = 0
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def head(self) -> None:
        """Wait for status and headers. Raises ConnectionLostError, GarbageError."""
        while not self.status:
            await self._wait()

    async def read(self) -> bytes:
        """Return what has arrived of the body, waiting for some; b"" at the end.

        Raises ConnectionLostError and GarbageError, also when the body was cut short.
        """
        while not self._chunks:
            if self.complete:
                return b""
            await self._wait()
        return self.take()

    def take(self) -> bytes:
        """Return what has arrived of the body, without waiting."""
        chunks, self._chunks = self._chunks, []
        if self._size > BUFFERED_MAX:
            self._connection.resume_reading()
        self._size = 0
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _wait(self) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = self._connection.loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    # Called by the connection.

    def add(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._size += len(chunk)

    @property
    def is_full(self) -> bool:
        return self._size > BUFFERED_MAX

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def fail(self, error: Exception) -> None:
        """End the answer with an error, which the reader meets after what came before it."""
        if not self.complete and self._error is None:
            self._error = error
            self.wake()


class Connection(asyncio.Protocol):
    """Writes one request at a time and reads its answer."""

    def __init__(self, owner: Owner, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.closed = True  # Until it is made.
        self.idle_since = 0.0
        self._owner = owner
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._response: Response | None = None
        self._writable: asyncio.Future[None] | None = None
        self._reading = True
        self._progress = False  # Whether the parser got somewhere with the present input.
        self._unparsed = 0  # Bytes taken in since it last did.
        self._reset_head()

    # For the pool and whoever holds the connection.

    def begin(self, *, head_only: bool) -> Response:
        """Expect the answer to the request that is about to be written."""
        self._response = Response(self, head_only=head_only)
        if self.closed:  # Between being lent and being used.
            self._response.fail(ConnectionLostError(answered=False))
        return self._response

    def write(self, data: bytes) -> None:
        """Write without waiting; `drain` tells when to go on, the answer whether it is lost."""
        if not self.closed:
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until the other side takes more. Raises ConnectionLostError."""
        if self.closed:
            raise ConnectionLostError(answered=False)
        if self._writable is not None:
            await self._writable

    def finish(self, *, request_sent: bool = True) -> None:
        """Give the connection back: to the pool if it is fit for another request."""
        response, self._response = self._response, None
        if (
            request_sent
            and response is not None
            and response.complete
            and response.keep_alive
            and not self.closed
            and self._reading
        ):
            if response.head_only:  # The parser still waits for the body that never comes.
                self._parser = httptools.HttpResponseParser(self)
            self._owner.release(self)
        else:
            self.close()

    def close(self) -> None:
        """Close at once; what was not yet sent is dropped."""
        if not self.closed:
            self.closed = True
            self._transport.abort()

    def resume_reading(self) -> None:
        if not self._reading and not self.closed:
            self._reading = True
            self._transport.resume_reading()

    @property
    def is_usable(self) -> bool:
        return not self.closed and not self._transport.is_closing()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by form only.
        self.closed = False

    def data_received(self, data: bytes) -> None:
        response = self._response
        if response is None or response.complete:  # Nobody asked: never let it answer the next.
            self.close()
            return
        response.started = True
        self._progress = False
        self._unparsed += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(response)
            return
        if self._progress:
            self._unparsed = 0
        if self._unparsed > HEAD_LENGTH_MAX:
            self._fail(response)
        elif response.is_full and not response.complete and self._reading:
            self._reading = False
            self._transport.pause_reading()
        if response.status:
            response.wake()

    def pause_writing(self) -> None:
        self._writable = self.loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        response = self._response
        if response is not None:
            if exc is None and self._until_close and response.status:
                response.complete = True
                response.wake()
            else:
                response.fail(ConnectionLostError(answered=response.started))
        if self._writable is not None and not self._writable.done():
            self._writable.set_exception(ConnectionLostError(answered=False))
        self._owner.forget(self)

    # httptools.HttpResponseParser

    def on_message_begin(self) -> None:
        if self._response is None or self._response.complete:
            raise GarbageError  # A second answer behind the first.
        self._reset_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_done:
            return  # A trailer: never mixed into the headers.
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._progress = True
        status = self._parser.get_status_code()
        if status < _FIRST_FINAL:
            return
        if self._unparsed > HEAD_LENGTH_MAX or len(self._headers) > HEADERS_MAX:
            _check_size(self._headers)
        response = self._response
        assert response is not None  # noqa: S101  `on_message_begin` made sure.
        self._head_done = True
        self._until_close = not _is_framed(self._headers) and not (
            response.head_only or status in _BODILESS
        )
        response.headers = self._headers
        response.keep_alive = self._parser.should_keep_alive()
        response.status = status
        if response.head_only:
            response.complete = True

    def on_body(self, body: bytes) -> None:
        self._progress = True
        response = self._response
        if response is None or response.head_only:
            raise GarbageError
        response.add(body)

    def on_message_complete(self) -> None:
        self._progress = True
        if self._response is not None and self._head_done:
            self._response.complete = True

    def _reset_head(self) -> None:
        self._headers: Headers = []
        self._head_done = False
        self._until_close = False

    def _fail(self, response: Response) -> None:
        """End the connection; a whole answer that came before the garbage is still good."""
        response.keep_alive = False
        response.fail(GarbageError())
        response.wake()
        self.close()


def _check_size(headers: Headers) -> None:
    """Raise GarbageError if these are more, or larger, than any answer of ours needs."""
    size = sum(len(name) + len(value) for name, value in headers)
    if size > HEAD_LENGTH_MAX or len(headers) > HEADERS_MAX:
        raise GarbageError


def _is_framed(headers: Headers) -> bool:
    """Say whether the body's end shows. Raises GarbageError for a coding other than chunked."""
    framed = False
    for name, value in headers:
        if name == b"transfer-encoding":
            if value.lower() != b"chunked":
                raise GarbageError
            framed = True
        elif name == b"content-length":
            framed = True
    return framed
