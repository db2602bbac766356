"""One request on its way through the gateway, and the answers that the gateway makes itself."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from gateway.asgi import Headers, Receive, Scope, Send
from gateway.compression import Encoder, find_encoder
from gateway.headers import NO_STORE, SECURITY, RequestHead
from shared.errors import PROBLEM_MEDIA_TYPE, Problem, problem_body
from shared.i18n import negotiate

NO_HEAD: Final = RequestHead()  # Of a request whose headers could not be read.
UNROUTED: Final = "unmatched"

_LANG: Final = re.compile(rb"(?:^|&)lang=([A-Za-z-]{2,10})(?=&|\Z)")


@dataclass(slots=True)
class Answer:
    """An answer of the gateway's own."""

    body: bytes
    media_type: str = "application/json"
    status: int = 200
    headers: Headers = field(default_factory=lambda: [NO_STORE])
    security: Headers = field(default_factory=lambda: SECURITY)


@dataclass(slots=True)
class Call:
    """A request with what has been found out about it so far."""

    scope: Scope
    receive: Receive
    _send: Send
    method: str
    started: float = field(default_factory=time.perf_counter)
    head: RequestHead = NO_HEAD
    request_id: bytes = b""
    traceparent: bytes = b""
    client: bytes = b"unknown"  # The address that the request comes from.
    network: bytes = b""  # Under which its requests are counted.
    rate: Headers = field(default_factory=list)  # What the answer tells of its rates.
    compresses: bool = True  # Whether what it is answered may be compressed.
    is_cacheable: bool = False  # Whether a service's own word on keeping its answer counts.
    cors: Sequence[tuple[bytes, bytes]] = ()
    path: bytes = b"/"
    query: bytes = b""
    route: str = UNROUTED  # The metrics label: a prefix of the table, never the path.
    user_language: str | None = None
    status: int = 0  # Of the answer, once it has begun.
    request_bytes: int = 0
    _encoder: Encoder | None = None
    response_bytes: int = 0

    @property
    def target(self) -> bytes:
        """The path and query as they go to the service."""
        return self.path + b"?" + self.query if self.query else self.path

    def language(self, default: str) -> str:
        """Return the language in which this caller is told of problems."""
        asked = _LANG.search(self.query)
        return negotiate(
            asked[1].decode() if asked else None,
            self.head.text(b"accept-language"),
            self.user_language,
            default,
        )

    async def begin(self, status: int, headers: Headers, security: Headers = SECURITY) -> None:
        """Send status and headers, with those that every answer carries."""
        self.status = status
        if self.compresses and self.method != "HEAD":
            accepted = self.head.read.get(b"accept-encoding")
            self._encoder = find_encoder(accepted, status, headers)
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    *headers,
                    *security,
                    *self.cors,
                    *self.rate,
                    (b"x-request-id", self.request_id),
                    (b"traceparent", self.traceparent),
                ],
            }
        )

    async def write(self, body: bytes, *, more: bool) -> None:
        """Send a part of the body; waits while the client is slow."""
        if self._encoder is not None and (body or not more):
            body = await self._encoder.encode(body, more=more)
        self.response_bytes += len(body)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def answer(self, answer: Answer) -> None:
        """Send an answer of our own."""
        framing = [
            (b"content-type", answer.media_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
        ]
        bodiless = answer.status == 204  # noqa: PLR2004  No Content.
        headers = answer.headers if bodiless else [*framing, *answer.headers]
        await self.begin(answer.status, headers, answer.security)
        await self.write(answer.body, more=False)

    async def refuse(self, problem: Problem, default_language: str) -> None:
        """Tell the caller what is wrong, in his language."""
        language = self.language(default_language)
        body = problem_body(problem, language, self.request_id.decode())
        headers: Headers = [
            NO_STORE,
            (b"content-language", language.encode()),
            (b"vary", b"Accept-Language"),
        ]
        headers += ((n.lower().encode(), v.encode()) for n, v in problem.header_fields().items())
        if (
            self.head.has_body
        ):  # We may not have read it; what follows would be taken for a request.
            headers.append((b"connection", b"close"))
        await self.answer(Answer(orjson.dumps(body), PROBLEM_MEDIA_TYPE, problem.status, headers))
