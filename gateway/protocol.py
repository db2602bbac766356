"""HTTP/1.1 from a client, strictly: one connection, its requests one after the other.

A request's head is limited in size and time, a reader in slowness; trailers never reach the
headers; targets other than a path are refused; and what is refused here, before there is a request,
is answered in the form it has elsewhere and ends the connection.
"""

import asyncio
from collections import deque
from typing import Final, Protocol, cast

import httptools

from gateway.call import Call, Tunnel
from gateway.clients import Clients
from gateway.errors import HeadersTooLarge, MalformedRequest
from gateway.refusal import answer_of
from gateway.wire import CONTINUE, Headers
from shared.errors import Problem

PIPELINE_MAX: Final = 16  # Requests that a client may send ahead of their answers.
UNPARSED_MAX: Final = 65_536  # Bytes of an unfinished head that are kept, beside one buffer.
HEAD_TIMEOUT_S: Final = 10.0  # From a request's first byte to the end of its headers.
STALL_TIMEOUT_S: Final = 30.0  # For a client that does not read its answer.
LINGER_S: Final = 1.0  # A closed client may finish sending for so long, lest it miss our answer.

_METHODS: Final = {
    name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
}


class Handler(Protocol):
    """Who answers calls: the gateway."""

    def handle(self, call: Call) -> None:
        """Answer a call, now or later."""

    def finished(self, call: Call) -> None:
        """A call has been answered, or its client is gone."""


class _RefusedError(Exception):
    """Raised inside a parser callback, to end the connection with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem


class FrontDoor(asyncio.Protocol):
    """One client connection."""

    __slots__ = (
        "_call",
        "_clients",
        "_current",
        "_deaf",
        "_early",
        "_expects",
        "_handler",
        "_head_since",
        "_headers",
        "_idle_since",
        "_in_head",
        "_parser",
        "_parted",
        "_progress",
        "_queue",
        "_reading",
        "_stalled_since",
        "_starting",
        "_transport",
        "_tunnel",
        "_unparsed",
        "_url",
        "is_full",
        "loop",
        "peer",
        "scheme",
    )  # fmt: skip

    def __init__(self, handler: Handler, clients: Clients, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.peer = ""
        self.is_full = False
        self._handler = handler
        self._clients = clients
        self._transport: asyncio.Transport
        self.scheme = b"http"
        self._parser = httptools.HttpRequestParser(self)
        self._headers: Headers = []
        self._url = b""
        self._call: Call | None = None  # Whose body is arriving.
        self._current: Call | None = None  # That is being answered.
        self._starting = False  # It has not been begun yet.
        self._queue: deque[Call] = deque()
        self._tunnel: Tunnel | None = None
        self._early = b""  # What came behind a request to switch protocols.
        self._expects = False  # The client waits to be told to send its body.
        self._parted = False  # We have said our last word.
        self._deaf = False  # Whatever still arrives is thrown away.
        self._reading = True
        self._in_head = True
        self._progress = False  # Whether the parser got somewhere with the present input.
        self._unparsed = 0  # Bytes taken in since it last did.
        self._head_since: float | None = None
        self._stalled_since: float | None = None
        self._idle_since: float | None = None

    # For the server

    @property
    def is_waiting(self) -> bool:
        """Say whether no request is in progress: it may be closed for others' sake."""
        return self._current is None and self._tunnel is None

    def is_too_slow(self, now: float, keep_alive_s: float) -> bool:
        """Say whether the client takes too long: for a head, for an answer, for another request."""
        return any(
            since is not None and now - since > timeout_s
            for since, timeout_s in (
                (self._head_since, HEAD_TIMEOUT_S),
                (self._stalled_since, STALL_TIMEOUT_S),
                (self._idle_since, keep_alive_s),
            )
        )

    def close_when_answered(self) -> None:
        """Let what is in progress end, then close; nothing further is taken."""
        if self._tunnel is not None:
            self.abort()
        elif self._current is None:
            self._close_gently()
        else:
            for call in (self._current, *self._queue):
                call.keep_alive = False

    # For the call

    @property
    def date(self) -> bytes:
        return self._clients.date

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def want_body(self) -> None:
        if self._expects:
            self._expects = False
            self.write(CONTINUE)
        if not self._reading and not self._transport.is_closing():
            self._reading = True
            self._transport.resume_reading()

    def pause_reading(self) -> None:
        if self._reading and not self._transport.is_closing():
            self._reading = False
            self._transport.pause_reading()

    def finish(self, call: Call, *, keep_alive: bool) -> None:
        """Go on with the next request, or wait for one; `is_too_slow` ends the waiting."""
        self._current = None
        self._expects = False
        if not keep_alive or not call.body_complete:
            self._queue.clear()
            self._close_gently()
            return
        if self._queue:
            self._current = self._queue.popleft()
            self._starting = True
            self.loop.call_soon(self._start)
            return
        self.want_body()
        if self._head_since is None:
            self._idle_since = self.loop.time()
        self._clients.now_idle(self)

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    def tunnel_to(self, call: Call, tunnel: Tunnel) -> None:
        """Give all that comes from now on to this."""
        assert call is self._current  # noqa: S101  Who asked to switch is being answered.
        self._current = None
        self._tunnel = tunnel
        self._deaf = False
        self._idle_since = self._head_since = None
        early, self._early = self._early, b""
        self.want_body()
        if early:
            tunnel.on_client_data(early)

    def close_after_writing(self) -> None:
        """End a tunnel when what was written has left."""
        self._transport.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by form only.
        address = transport.get_extra_info("peername")
        self.peer = address[0] if address else ""
        if transport.get_extra_info("ssl_object") is not None:
            self.scheme = b"https"
        self._head_since = self.loop.time()
        if not self._clients.add(self):
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's.
        self._clients.remove(self)
        self._deaf = True
        self._queue.clear()
        current, self._current = self._current, None
        if current is not None and not self._starting:  # Else nobody works on it.
            current.abandon()
        tunnel, self._tunnel = self._tunnel, None
        if tunnel is not None:
            tunnel.on_client_lost()

    def eof_received(self) -> bool:
        return False  # Who sends no more is taken to have left.

    def data_received(self, data: bytes) -> None:
        if self._tunnel is not None:
            self._tunnel.on_client_data(data)
            return
        if self._deaf:
            return
        self._idle_since = None
        self._progress = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._early = data[upgrade.args[0] :]
            self._close_after_answer()  # Unless it is answered by switching.
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause.problem if isinstance(cause, _RefusedError) else MalformedRequest())
        else:
            self._unparsed = 0 if self._progress else self._unparsed + len(data)
            if self._unparsed > UNPARSED_MAX:
                self._refuse(HeadersTooLarge())
        if self._starting:
            self._start()

    def pause_writing(self) -> None:
        self.is_full = True
        self._stalled_since = self.loop.time()
        if self._tunnel is not None:
            self._tunnel.on_client_full()

    def resume_writing(self) -> None:
        self.is_full = False
        self._stalled_since = None
        if self._tunnel is not None:
            self._tunnel.on_client_drained()
        elif self._current is not None:
            self._current.go_on()

    # httptools.HttpRequestParser

    def on_message_begin(self) -> None:
        if len(self._queue) >= PIPELINE_MAX:
            raise _RefusedError(MalformedRequest())
        self._headers = []
        self._url = b""
        self._in_head = True
        if self._head_since is None:
            self._head_since = self.loop.time()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # Else a trailer.
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._progress = True
        self._in_head = False
        self._head_since = None
        path, _, query = self._url.partition(b"?")
        if not path.startswith(b"/") or not self._url.isascii() or b"#" in self._url:
            raise _RefusedError(MalformedRequest())
        parser = self._parser
        method, version = parser.get_method(), parser.get_http_version()
        call = Call(
            self,
            _METHODS.get(method) or method.decode("ascii"),
            path,
            query,
            self._headers,
            self._handler.finished,
            version=version,
            keep_alive=(
                version != "1.0" and parser.should_keep_alive() and not self._clients.is_draining
            ),
            wants_upgrade=parser.should_upgrade(),
        )
        self._call = call
        if self._current is None:
            self._clients.now_busy(self)
            self._current = call
            self._starting = True
        else:
            self._queue.append(call)
            self.pause_reading()

    def on_body(self, body: bytes) -> None:
        self._progress = True
        if self._call is not None and not self._call.is_over:
            self._call.add_body(body)

    def on_message_complete(self) -> None:
        self._progress = True
        if self._call is not None:
            self._call.end_body()
            self._call = None

    def _start(self) -> None:
        if not self._starting:
            return
        self._starting = False
        call = self._current
        if call is None or call.is_over:
            return
        if not call.body_complete and call is self._call:
            self._expects = any(
                name == b"expect" and value.lower() == b"100-continue"
                for name, value in call.fields
            )
        self._handler.handle(call)

    def _close_gently(self) -> None:
        """End the connection so that the client, though still sending, can read our answer.

        Closing at once while unread input waits would reset the connection and lose the answer.
        """
        self._deaf = True
        self._head_since = None
        if self._parted or self._transport.is_closing():
            return
        self._parted = True
        if not self._reading:
            self._reading = True
            self._transport.resume_reading()
        if self._transport.can_write_eof():  # TLS has no end of one direction.
            self._transport.write_eof()
        self.loop.call_later(LINGER_S, self._transport.close)

    def _close_after_answer(self) -> None:
        """Let the request in progress be answered, and take no further one."""
        self._deaf = True
        self._queue.clear()
        if self._current is not None:
            self._current.keep_alive = False

    def _refuse(self, problem: Problem) -> None:
        """End the connection, saying why if no other answer is on its way."""
        current = self._current
        if current is not None:
            if current.body_complete:  # It is whole, and is being worked on.
                self._close_after_answer()
                return
            has_begun = bool(current.status)
            self._current = None  # It will never be whole.
            if self._starting:  # Nobody works on it yet.
                self._starting = False
            else:
                current.abandon()
            if has_begun:
                self._transport.close()
                return
        self._transport.write(answer_of(problem))
        self._close_gently()
