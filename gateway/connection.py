"""One kept-alive HTTP/1.1 connection to an instance of a service, and the answer read from it.

Only what is certainly whole and well-framed leaves a connection fit for another request; after
anything else it is closed.
"""

import asyncio
from typing import Final, Protocol, cast

import httptools

from gateway.breaker import Breaker
from gateway.shares import Holder
from gateway.wire import BODILESS, Headers

HEAD_LENGTH_MAX: Final = 65_536
HEADERS_MAX: Final = 200

_FIRST_FINAL: Final = 200  # Below it: interim answers, which are skipped.
_LAST: Final = 599
_SWITCHING: Final = 101


class GarbageError(Exception):
    """What arrived is no HTTP answer."""


class Lender(Protocol):
    """The address that a connection leads to; it lends connections out."""

    authority: bytes
    breaker: Breaker
    idle: "list[Connection]"

    def release(self, connection: "Connection") -> None:
        """Take back a connection that is fit for another request."""

    def forget(self, connection: "Connection") -> None:
        """Note that a connection has ended."""

    def drop_idle(self) -> None:
        """Close what is idle."""


class Reader(Protocol):
    """Who has sent a request and hears of its answer."""

    def on_progress(self) -> None:
        """Look at what has arrived: `status`, `headers`, `parts`, `complete`."""

    def on_lost(self) -> None:
        """The connection ended before the answer was whole."""

    def on_garbage(self) -> None:
        """What arrived is no answer."""

    def on_full(self) -> None:
        """Write no more for now."""

    def on_drained(self) -> None:
        """Write on."""

    def on_raw(self, data: bytes) -> None:
        """Bytes after the protocol was switched."""


class Connection(asyncio.Protocol):
    """Writes one request at a time and reads its answer."""

    __slots__ = (
        "_head_done", "_head_only", "_parser", "_progress", "_reading",
        "_switches", "_transport", "_unparsed", "_until_close", "closed", "complete", "headers",
        "idle_since", "instance", "is_full", "is_raw", "is_stream", "keep_alive", "lent_to",
        "parts", "reader", "size", "started", "status", "used",
    )  # fmt: skip

    def __init__(self, instance: Lender) -> None:
        self.closed = True  # Until it is made.
        self.idle_since = 0.0
        self.used = False  # Has carried a request before.
        self.instance = instance
        self.lent_to: Holder | None = None
        self.is_stream = False  # Lent for a body that is still arriving.
        self.reader: Reader | None = None
        self.is_raw = False  # The protocol has been switched: bytes pass as they are.
        self.is_full = False  # The other side takes no more for now.
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._reading = True
        self._head_only = self._switches = False
        self._reset()

    def _reset(self) -> None:
        self.status = 0
        self.headers: Headers = []
        self.parts: list[bytes] = []
        self.size = 0  # Of the parts, in bytes.
        self.complete = self.keep_alive = False
        self.started = False  # Some byte of the answer has arrived.
        self._head_done = self._until_close = False
        self._progress = False  # Whether the parser got somewhere with the present input.
        self._unparsed = 0  # Bytes taken in since it last did.

    # For the pool and whoever holds the connection.

    def begin(self, reader: Reader, *, head_only: bool, switches: bool = False) -> None:
        """Expect the answer to the request that is about to be written.

        `switches` lets the answer be 101, after which all bytes go to the reader.
        """
        self._reset()
        self.reader = reader
        self._head_only, self._switches = head_only, switches

    def write(self, data: bytes) -> None:
        """Write without waiting; `is_full` tells when to stop, the answer whether it is lost."""
        if not self.closed:
            self._transport.write(data)

    def take(self) -> bytes:
        """Return what has arrived of the body."""
        parts = self.parts
        if not parts:
            return b""
        self.parts, self.size = [], 0
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def finish(self, *, request_sent: bool = True) -> None:
        """Give the connection back: to the pool if it is fit for another request."""
        self.reader = None
        if (
            request_sent
            and self.complete
            and self.keep_alive
            and self._reading
            and not self.closed
            and not self.is_raw
            and not self._transport.is_closing()
        ):
            if self._head_only:  # The parser still waits for the body that never comes.
                self._parser = httptools.HttpResponseParser(self)
            self.used = True
            self.instance.release(self)
        else:
            self.close()

    def close(self) -> None:
        """Close at once; what was not yet sent is dropped."""
        if not self.closed:
            self.closed = True
            self._transport.abort()

    def close_gently(self) -> None:
        """Close when what was written has left."""
        self.reader = None
        if not self.closed:
            self.closed = True
            self._transport.close()

    def pause_reading(self) -> None:
        if self._reading and not self.closed:
            self._reading = False
            self._transport.pause_reading()

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
        reader = self.reader
        if self.is_raw and reader is not None:
            reader.on_raw(data)
            return
        if reader is None or self.complete:  # Nobody asked: never let it answer the next.
            self.close()
            return
        self.started = True
        self._progress = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._switch(reader, data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self._fail(reader)
            return
        if self._progress:
            self._unparsed = 0
        else:
            self._unparsed += len(data)
            if self._unparsed > HEAD_LENGTH_MAX:
                self._fail(reader)
                return
        if self.status:
            reader.on_progress()

    def pause_writing(self) -> None:
        self.is_full = True
        if self.reader is not None:
            self.reader.on_full()

    def resume_writing(self) -> None:
        self.is_full = False
        if self.reader is not None:
            self.reader.on_drained()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self.instance.forget(self)
        reader = self.reader
        if reader is None:
            return
        if exc is None and self._until_close and self.status and not self.complete:
            self.complete = True
            reader.on_progress()
        elif not self.complete or self.is_raw:
            reader.on_lost()

    # httptools.HttpResponseParser

    def on_message_begin(self) -> None:
        if self.reader is None or self.complete:
            raise GarbageError  # A second answer behind the first.
        self.headers = []
        self._head_done = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._head_done:  # Else a trailer: never mixed into the headers.
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._progress = True
        parser = self._parser
        status = parser.get_status_code()
        if status < _FIRST_FINAL:
            if status != _SWITCHING or not self._switches:
                return
        elif status > _LAST:
            raise GarbageError
        headers = self.headers
        if len(headers) > HEADERS_MAX:
            raise GarbageError
        is_framed = _is_framed(headers)
        self._head_done = True
        self._until_close = not is_framed and not (self._head_only or status in BODILESS)
        self.keep_alive = parser.should_keep_alive()
        self.status = status
        if self._head_only:
            self.complete = True

    def on_body(self, body: bytes) -> None:
        self._progress = True
        if self._head_only:
            raise GarbageError
        self.parts.append(body)
        self.size += len(body)

    def on_message_complete(self) -> None:
        self._progress = True
        if self._head_done:
            self.complete = True

    def _switch(self, reader: Reader, rest: bytes) -> None:
        if self.status != _SWITCHING:
            self._fail(reader)
            return
        self.is_raw = True
        reader.on_progress()
        if rest and self.reader is not None:
            self.reader.on_raw(rest)

    def _fail(self, reader: Reader) -> None:
        """End the connection; a whole answer that came before the garbage is still good."""
        self.keep_alive = False
        if self.complete:
            reader.on_progress()
        else:
            reader.on_garbage()
        self.close()


def _is_framed(headers: Headers) -> bool:
    """Say whether the body's end shows.

    Raises GarbageError for a coding other than chunked, and for more than an answer of ours needs.
    """
    framed = False
    size = 0
    for name, value in headers:
        size += len(name) + len(value)
        if name == b"transfer-encoding":
            if value.lower() != b"chunked":
                raise GarbageError
            framed = True
        elif name == b"content-length":
            framed = True
    if size > HEAD_LENGTH_MAX:
        raise GarbageError
    return framed
