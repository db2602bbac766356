"""uvicorn's HTTP/1.1 protocol, made strict enough for a front door.

Beyond what uvicorn does: trailers never reach the headers; a request's head is limited in size and
time, a reader in slowness; targets other than a path are refused; and what is refused here, before
there is a request, is answered in the form it has elsewhere and ends the connection.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote
from uuid import uuid4

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.cycle import AnswerCycle
from gateway.errors import HeadersTooLarge, MalformedRequest
from gateway.headers import NO_STORE, SECURITY
from shared.errors import PROBLEM_MEDIA_TYPE, Problem, problem_body

CONNECTIONS_MAX: Final = 4096
PIPELINE_MAX: Final = 16  # Requests that a client may send ahead of their answers.
UNPARSED_MAX: Final = 65_536  # Bytes of an unfinished head that are kept, beside one buffer.
HEAD_TIMEOUT_S: Final = 10.0  # From a request's first byte to the end of its headers.
STALL_TIMEOUT_S: Final = 30.0  # For a client that does not read its answer.
LINGER_S: Final = 1.0  # A closed client may finish sending for so long, lest it miss our answer.


class _RefusedError(Exception):
    """Raised inside a parser callback, to end the connection with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem


class FrontDoor(HttpToolsProtocol):
    """One client connection."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  uvicorn's own.
        super().__init__(*args, **options)
        self._running: AnswerCycle | None = None
        self._parted = False  # We have said our last word.
        self._deaf = False  # Whatever still arrives is thrown away.
        self._in_head = True
        self._progress = False  # Whether the parser got somewhere with the present input.
        self._unparsed = 0  # Bytes taken in since it last did.
        self._head_since: float | None = None
        self._stalled_since: float | None = None
        self._idle_since: float | None = None

    def is_too_slow(self, now: float) -> bool:
        """Say whether the client takes too long: for a head, for an answer, for another request."""
        return any(
            since is not None and now - since > timeout_s
            for since, timeout_s in (
                (self._head_since, HEAD_TIMEOUT_S),
                (self._stalled_since, STALL_TIMEOUT_S),
                (self._idle_since, self.timeout_keep_alive),
            )
        )

    def abort(self) -> None:
        """End the connection at once."""
        self.transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401  As uvicorn has it.
        super().connection_made(transport)
        self._head_since = self.loop.time()
        if len(self.connections) > CONNECTIONS_MAX:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True  # uvicorn tells only the last of several requests.
            self._running.message_event.set()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._idle_since = None
        self._progress = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._close_after_answer()  # We upgrade to nothing, and what follows may be no HTTP.
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause.problem if isinstance(cause, _RefusedError) else MalformedRequest())
        else:
            self._unparsed = 0 if self._progress else self._unparsed + len(data)
            if self._unparsed > UNPARSED_MAX:
                self._refuse(HeadersTooLarge())

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled_since = self.loop.time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stalled_since = None

    # httptools.HttpRequestParser

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= PIPELINE_MAX:
            raise _RefusedError(MalformedRequest())
        super().on_message_begin()
        self._in_head = True
        self._head_since = self.loop.time()

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # A trailer.
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._progress = True
        self._in_head = False
        self._head_since = None
        path, _, query = self.url.partition(b"?")
        if not path.startswith(b"/") or not self.url.isascii() or b"#" in self.url:
            raise _RefusedError(MalformedRequest())
        version = self.parser.get_http_version()
        scope = self.scope
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["http_version"] = version
        scope["path"] = unquote(path) if b"%" in path else path.decode("ascii")
        scope["raw_path"] = path
        scope["query_string"] = query
        waiting = self.cycle is not None and not self.cycle.response_complete
        self.cycle = self._new_cycle(
            keep_alive=version != "1.0" and self.parser.should_keep_alive()
        )
        if waiting:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))
        else:
            self._start_asgi_task(self.cycle, self.app)

    def on_body(self, body: bytes) -> None:
        self._progress = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._progress = True
        super().on_message_complete()

    # uvicorn

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for one; `is_too_slow` ends the waiting."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._head_since is None:
            self._idle_since = self.loop.time()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:  # noqa: ANN401  uvicorn's own.
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _new_cycle(self, *, keep_alive: bool) -> AnswerCycle:
        return AnswerCycle(
            self._close_gently,
            self.scope,
            self.transport,
            self.flow,
            self.logger,
            self.access_logger,
            False,  # noqa: FBT003  No access log.
            self.server_state.default_headers,
            asyncio.Event(),
            self.expect_100_continue,
            keep_alive,
            self.on_response_complete,
        )

    def _close_gently(self) -> None:
        """End the connection so that the client, though still sending, can read our answer.

        Closing at once while unread input waits would reset the connection and lose the answer.
        """
        self._deaf = True
        self._head_since = None
        self.flow.resume_reading()
        if self._parted or self.transport.is_closing():
            return
        self._parted = True
        self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.close)

    def _close_after_answer(self) -> None:
        """Let the request in progress be answered, and take no further one."""
        self._deaf = True
        self.pipeline.clear()
        if self._running is not None:
            self._running.keep_alive = False

    def _refuse(self, problem: Problem) -> None:
        """End the connection, saying why if no other answer is on its way."""
        running = self._running
        if running is not None and not running.response_complete:
            if not running.more_body:  # It was whole, and is being worked on.
                self._close_after_answer()
                return
            running.disconnected = True  # It will never be whole.
            running.message_event.set()
            if running.response_started:
                self.transport.close()
                return
        self.transport.write(_as_bytes(problem))
        self._close_gently()


def _as_bytes(problem: Problem) -> bytes:
    """Return a problem as a whole HTTP answer, in English: no language has been asked for yet."""
    request_id = uuid4().hex
    body = orjson.dumps(problem_body(problem, "en", request_id))
    headers = [
        (b"content-type", PROBLEM_MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"content-language", b"en"),
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
        NO_STORE,
        *SECURITY,
    ]
    status = HTTPStatus(problem.status)
    lines = b"".join(b"%b: %b\r\n" % header for header in headers)
    return b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, status.phrase.encode(), lines, body)
