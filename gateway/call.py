"""One request on its way through the gateway, and its answer on the way back."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import orjson
from opentelemetry.trace import Span

from gateway.compression import ON_LOOP_MAX, Encoder, find_encoder
from gateway.headers import NO_STORE, SECURITY, RequestHead
from gateway.shares import Holder
from gateway.wire import BODILESS, STATUS_LINES, Headers, as_block, as_chunk
from shared import scim
from shared.errors import PROBLEM_MEDIA_TYPE, Problem, problem_body
from shared.i18n import negotiate
from shared.security.claims import UserClaims

NO_HEAD: Final = RequestHead()  # Of a request whose headers could not be read.
_SCIM: Final = f"{scim.PATH}/".encode()
UNROUTED: Final = "unmatched"
EARLY_MAX: Final = 65_536  # Bytes of a body that are taken in before it is known who asks.

_LANG: Final = re.compile(rb"(?:^|&)lang=([A-Za-z-]{2,10})(?=&|\Z)")
_SECURITY_BLOCK: Final = as_block(SECURITY)


class Line(Protocol):
    """The connection that a request came on."""

    peer: str
    scheme: bytes  # http, or https where we ourselves speak it.

    @property
    def date(self) -> bytes:
        """The header line that says when."""

    @property
    def is_full(self) -> bool:
        """Say whether the client takes no more for now."""

    def write(self, data: bytes) -> None:
        """Write without waiting."""

    def finish(self, call: "Call", *, keep_alive: bool) -> None:
        """The answer is whole."""

    def abort(self) -> None:
        """Break the connection off."""

    def want_body(self) -> None:
        """Read the body, if reading was paused; tell the client that it is wanted."""

    def pause_reading(self) -> None:
        """Read no more of the body for now."""

    def tunnel_to(self, call: "Call", tunnel: "Tunnel") -> None:
        """Give all that comes from now on to this."""


class Tunnel(Protocol):
    """Who has a connection's bytes once its protocol is switched."""

    def on_client_data(self, data: bytes) -> None: ...
    def on_client_full(self) -> None: ...
    def on_client_drained(self) -> None: ...
    def on_client_lost(self) -> None: ...


class Receiver(Protocol):
    """Who takes a request's body and hears of its client."""

    def on_body(self, part: bytes) -> None:
        """A part of the body has arrived."""

    def on_body_end(self) -> None:
        """The body is whole."""

    def on_client_ready(self) -> None:
        """The client takes more of its answer."""

    def on_client_gone(self) -> None:
        """The client has left."""


@dataclass(slots=True)
class Answer:
    """An answer of the gateway's own."""

    body: bytes
    media_type: str = "application/json"
    status: int = 200
    headers: Headers = field(default_factory=lambda: [NO_STORE])
    security: Headers = field(default_factory=lambda: SECURITY)


class Call:
    """A request with what has been found out about it so far."""

    __slots__ = (
        "_chunked", "_encoder", "_encoding", "_held", "_left", "_line", "_silent",
        "body_complete", "body_length", "claims", "client", "compresses", "cors", "fields", "head",
        "holder", "is_cacheable", "is_over", "keep_alive", "method", "network", "on_end",
        "parts", "path", "query", "rate", "receiver", "request_id", "response_bytes", "route",
        "span", "started", "status", "traceparent", "user_language", "version", "waiting",
        "wants_upgrade",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913  What the parser found.
        self,
        line: Line,
        method: str,
        path: bytes,
        query: bytes,
        fields: Headers,
        on_end: Callable[["Call"], None],
        *,
        version: str = "1.1",
        keep_alive: bool = True,
        wants_upgrade: bool = False,
    ) -> None:
        self._line = line
        self.on_end = on_end
        self.method = method
        self.path = path
        self.query = query
        self.fields = fields  # The headers as they came, names in lower case.
        self.version = version
        self.keep_alive = keep_alive
        self.wants_upgrade = wants_upgrade
        self.started = time.perf_counter()
        self.head = NO_HEAD
        self.request_id = b""
        self.traceparent = b""
        self.span: Span | None = None  # Where it is traced.
        self.client = b"unknown"  # The address that the request comes from.
        self.network = b""  # Under which its requests are counted.
        self.holder: Holder = (b"", b"")  # Whose shares of connections and memory it uses.
        self.rate: Headers = []  # What the answer tells of its rates.
        self.compresses = True  # Whether what it is answered may be compressed.
        self.is_cacheable = False  # Whether a service's own word on keeping its answer counts.
        self.claims: UserClaims | None = None  # Of whoever is signed in.
        self.cors: Sequence[tuple[bytes, bytes]] = ()
        self.route = UNROUTED  # The metrics label: a prefix of the table, never the path.
        self.user_language: str | None = None
        self.parts: list[bytes] = []  # Of the body, until somebody receives it.
        self.body_length = 0  # Bytes that have arrived.
        self.body_complete = False
        self.receiver: Receiver | None = None
        self.waiting: asyncio.Task[None] | None = None  # What is done before it can go on.
        self.status = 0  # Of the answer, once it has begun.
        self.response_bytes = 0
        self.is_over = False  # Answered, or its client is gone.
        self._held = b""  # The head, until the first part of the body.
        self._silent = self._chunked = False
        self._left = -1  # Bytes of the body still to come, where they are known.
        self._encoder: Encoder | None = None
        self._encoding: asyncio.Future[bytes] | None = None

    @property
    def target(self) -> bytes:
        """The path and query as they go to the service."""
        return self.path + b"?" + self.query if self.query else self.path

    def forwarded_head(self, authority: bytes, framing: bytes, left_s: float | None) -> bytes:
        """Return the request line and headers for a service, all of them written by us.

        `left_s` is the time that the service has, where it is limited.
        """
        language = self.user_language
        return b"".join(
            (
                self.method.encode(), b" ", self.target, b" HTTP/1.1\r\nhost: ", authority,
                b"\r\n", *self.head.passing, framing,
                b"x-user-language: %b\r\n" % language.encode() if language else b"",
                b"x-request-id: ", self.request_id,
                b"\r\ntraceparent: ", self.traceparent,
                b"\r\nx-request-timeout: %.3f" % left_s if left_s is not None else b"",
                b"\r\nx-forwarded-for: ", self.client,
                b"\r\nx-forwarded-proto: ", self._line.scheme, b"\r\nx-forwarded-host: ",
                self.head.read.get(b"host", b""), b"\r\n\r\n",
            )
        )  # fmt: skip

    def language(self, default: str) -> str:
        """Return the language in which this caller is told of problems."""
        asked = _LANG.search(self.query)
        return negotiate(
            asked[1].decode() if asked else None,
            self.head.text(b"accept-language"),
            self.user_language,
            default,
        )

    @property
    def line(self) -> Line:
        """The connection that it came on."""
        return self._line

    @property
    def peer(self) -> str:
        """The address at the other end of the connection."""
        return self._line.peer

    # The body, as it arrives

    def add_body(self, part: bytes) -> None:
        """Take in a part of the body."""
        self.body_length += len(part)
        if self.receiver is not None:
            self.receiver.on_body(part)
            return
        self.parts.append(part)
        if self.body_length > EARLY_MAX:
            self._line.pause_reading()

    def end_body(self) -> None:
        """Note that the body is whole."""
        self.body_complete = True
        if self.receiver is not None:
            self.receiver.on_body_end()

    def want_body(self) -> None:
        self._line.want_body()

    def pause_body(self) -> None:
        self._line.pause_reading()

    # The answer

    @property
    def is_blocked(self) -> bool:
        """Say whether the answer should go on only when `on_client_ready` is called."""
        return self._encoding is not None or self._line.is_full

    @property
    def is_encoding(self) -> bool:
        """Say whether a part is being compressed: nothing may be written before it is."""
        return self._encoding is not None

    def begin(
        self, status: int, headers: Headers, security: Headers = SECURITY, *, close: bool = False
    ) -> None:
        """Take status and headers, with those that every answer carries; sent with the body."""
        self.status = status
        if self.compresses and self.method != "HEAD":
            accepted = self.head.read.get(b"accept-encoding")
            self._encoder = find_encoder(accepted, status, headers)
        if close:
            self.keep_alive = False
        lines = [STATUS_LINES[status], self._line.date]
        chunked = True
        for name, value in headers:
            if name == b"content-length":
                chunked = False
                self._left = int(value)
            lines += (name, b": ", value, b"\r\n")
        lines.append(_SECURITY_BLOCK if security is SECURITY else as_block(security))
        for name, value in (*self.cors, *self.rate):
            lines += (name, b": ", value, b"\r\n")
        lines += (
            b"x-request-id: ", self.request_id, b"\r\ntraceparent: ", self.traceparent, b"\r\n",
        )  # fmt: skip
        if self.method == "HEAD" or status in BODILESS:
            self._silent = True
        elif chunked:
            if self.version == "1.0":  # The end of the connection is the end of the body.
                self.keep_alive = False
            else:
                self._chunked = True
                lines.append(b"transfer-encoding: chunked\r\n")
        lines.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        self._held = b"".join(lines)

    def write(self, part: bytes, *, more: bool) -> None:
        """Send a part of the body, or the last one; look at `is_blocked` before the next one."""
        if self.is_over:
            return
        if self._encoder is not None and (part or not more):
            if len(part) > ON_LOOP_MAX:
                self._encode_elsewhere(self._encoder, part, more=more)
                return
            part = self._encoder.encode(part, more=more)
        self._put(part, more=more)

    def answer(self, answer: Answer, *, close: bool = False) -> None:
        """Send an answer of our own."""
        if self.is_over:
            return
        headers = [*answer.headers]
        if answer.status != 204:  # noqa: PLR2004  No Content.
            headers.append((b"content-type", answer.media_type.encode()))
            headers.append((b"content-length", b"%d" % len(answer.body)))
        self.begin(answer.status, headers, answer.security, close=close)
        self.write(answer.body, more=False)

    def refuse(self, problem: Problem, default_language: str) -> None:
        """Tell the caller what is wrong, in his language."""
        language = self.language(default_language)
        body = problem_body(problem, language, self.request_id.decode())
        headers: Headers = [
            NO_STORE,
            (b"content-language", language.encode()),
            (b"vary", b"Accept-Language"),
        ]
        close = not self.body_complete  # What follows would be taken for a request.
        for name, value in problem.header_fields().items():
            if name == "Connection":
                close = True
            else:
                headers.append((name.lower().encode(), value.encode()))
        media_type = PROBLEM_MEDIA_TYPE
        if self.path.startswith(_SCIM):  # Directories know their own form alone.
            body, media_type = scim.refusal(problem.status, body["detail"]), scim.MEDIA_TYPE
        answer = Answer(orjson.dumps(body), media_type, problem.status, headers)
        self.answer(answer, close=close)

    def switch(self, answer: bytes, tunnel: Tunnel) -> None:
        """Answer by switching protocols: whatever comes from now on is the tunnel's."""
        self.status = 101
        self._line.write(answer)
        self._end()
        self._line.tunnel_to(self, tunnel)

    def break_off(self) -> None:
        """End an answer that cannot be finished, so that the client sees it."""
        if not self.is_over:
            self._line.abort()
            self.abandon()

    def abandon(self) -> None:
        """Stop whatever is done for a client that is gone."""
        if self.is_over:
            return
        receiver, self.receiver = self.receiver, None
        if receiver is not None:
            receiver.on_client_gone()
        if self.waiting is not None:
            self.waiting.cancel()
        self._end()

    def go_on(self) -> None:
        """Note that the client takes more."""
        if self.receiver is not None and self._encoding is None:
            self.receiver.on_client_ready()

    def _put(self, part: bytes, *, more: bool) -> None:
        if self._silent:
            part = b""
        elif self._chunked:
            part = as_chunk(part, last=not more)
        elif self._left >= 0:
            self._left -= len(part)
            if self._left < 0 or (not more and self._left):
                self.break_off()  # The body is not as long as was said.
                return
        self.response_bytes += len(part)
        if self._held:
            part = self._held + part
            self._held = b""
        if part:
            self._line.write(part)
        if not more:
            self._end()
            self._line.finish(self, keep_alive=self.keep_alive)

    def _end(self) -> None:
        self.is_over = True
        self.receiver = None
        self.on_end(self)

    def _encode_elsewhere(self, encoder: Encoder, part: bytes, *, more: bool) -> None:
        """Compress a large part in a thread; others are served meanwhile."""
        loop = asyncio.get_running_loop()
        self._encoding = loop.run_in_executor(None, lambda: encoder.encode(part, more=more))
        self._encoding.add_done_callback(lambda done: self._on_encoded(done, more=more))

    def _on_encoded(self, done: "asyncio.Future[bytes]", *, more: bool) -> None:
        self._encoding = None
        if self.is_over:
            return
        self._put(done.result(), more=more)
        if more and not self._line.is_full:
            self.go_on()
