"""What surrounds every request of a service, in one pure ASGI layer."""

import asyncio
import re
import time
from collections.abc import Iterable, Mapping
from math import isfinite

import structlog
from opentelemetry.context import attach
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import metrics, tracing
from shared.errors import ClocksApart, DeadlineExceeded, GatewayOnly
from shared.ids import new_id
from shared.security.gateway_proof import HEADER as PROOF
from shared.security.gateway_proof import SKEW_MAX_S, GatewayProof
from shared.web.problems import answer_to, problem_response
from shared.web.requests import language_of
from shared.web.route import DirectRoute

log = structlog.get_logger()

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._~-]{1,64}")  # As the gateway has it.
# What the gateway alone may ask for; health and /internal/ have callers of their own.
_GATEWAYS = ("/api/", "/status")


class RequestLayer:
    """The gateway's proof, request id, deadline, languages, metrics, log context, the last resort.

    The direct routes are called from here: the router and what lies before it cost as much as
    such a route itself.
    """

    def __init__(
        self,
        app: ASGIApp,
        direct: Mapping[tuple[str, str], DirectRoute],
        proof: GatewayProof | None,
        *,
        measures: bool = True,
    ) -> None:
        """Without a proof to check, which only an app that cannot start may be, all are let in."""
        self.app = app
        self.proof = proof
        self.direct = direct
        self.measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = _picked(scope["headers"])
        request_id = _request_id(headers.get(b"x-request-id", b""))
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        traceparent = headers.get(b"traceparent", b"").decode("latin-1")
        span = tracing.begin_request(scope["method"], traceparent)
        if span is not None:
            attach(tracing.context_of(span))
            traceparent = tracing.traceparent_of(span)
        structlog.contextvars.bind_contextvars(request_id=request_id, traceparent=traceparent)
        exchange = _Exchange(scope, send)
        try:
            self._require_gateway(scope, headers)
            await self._within_deadline(scope, receive, exchange, headers)
        except (GatewayOnly, ClocksApart) as error:
            if isinstance(error, ClocksApart):
                log.warning("this clock and the gateway's differ", seconds_max=SKEW_MAX_S)
            await exchange.answer(problem_response(Request(scope), error))
        finally:
            if self.measures:
                exchange.observe(headers)
            exchange.finish()
            if span is not None:
                named = scope["method"], metrics.route_of(scope)
                tracing.end_request(span, request_id, *named, exchange.status)

    def _require_gateway(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        """Set the client to the real one, where the gateway alone may ask.

        Raises GatewayOnly, ClocksApart.
        """
        if self.proof is None or not scope["path"].startswith(_GATEWAYS):
            return
        query = scope["query_string"]
        client = self.proof.check(
            headers.get(PROOF, b""),
            headers.get(b"x-request-id", b""),
            scope["method"].encode("latin-1"),
            b"%b?%b" % (scope["raw_path"], query) if query else scope["raw_path"],
        )
        if client is None:
            raise GatewayOnly
        scope["client"] = (client, 0)

    async def _within_deadline(
        self, scope: Scope, receive: Receive, exchange: "_Exchange", headers: dict[bytes, bytes]
    ) -> None:
        left = _seconds_left(headers.get(b"x-request-timeout"))
        if left is not None:
            scope["state"]["deadline_at"] = asyncio.get_running_loop().time() + left
        try:
            async with asyncio.timeout(left):
                route = self.direct.get((scope["method"], scope["path"]))
                app = self.app if route is None else route.call
                await app(scope, receive, exchange.send)
        except TimeoutError:
            await exchange.answer(problem_response(Request(scope), DeadlineExceeded()))
        except Exception as error:  # noqa: BLE001 - the edge: logged, answered, never leaked.
            await exchange.answer(answer_to(Request(scope), error))


class _Exchange:
    """One request and its answer, measured."""

    __slots__ = ("_in_progress", "_method", "_response_bytes", "_scope", "_send", "_started_s",
                 "status")  # fmt: skip

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._method = scope["method"]
        self._response_bytes = 0
        self.status = 0
        self._started_s = time.perf_counter()
        self._in_progress = metrics.in_progress_of(self._method)
        self._in_progress.inc()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            language = language_of(Request(self._scope))
            message["headers"] = [
                *message.get("headers", ()),
                (b"x-request-id", self._scope["state"]["request_id"].encode()),
                (b"content-language", language.encode()),
                (b"vary", b"Accept-Language, Authorization"),
            ]
        else:
            self._response_bytes += len(message.get("body", b""))
        await self._send(message)

    async def answer(self, response: Response) -> None:
        """Send this, unless an answer is already on its way: then let it break off."""
        if self.status:
            raise ConnectionAbortedError
        await response(self._scope, _nothing, self.send)

    def observe(self, headers: Mapping[bytes, bytes]) -> None:
        metrics.observe_request(
            self._method,
            metrics.route_of(self._scope),
            self.status or metrics.CLIENT_WENT,
            duration_s=time.perf_counter() - self._started_s,
            request_bytes=metrics.size_of(headers.get(b"content-length", b"").decode("latin-1")),
            response_bytes=self._response_bytes,
            trace_id=metrics.trace_id_of(headers.get(b"traceparent", b"").decode("latin-1")),
        )

    def finish(self) -> None:
        self._in_progress.dec()


_PICKED = frozenset(
    {b"x-request-id", b"x-request-timeout", b"traceparent", b"content-length", PROOF}
)


def _picked(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    return {name: value for name, value in headers if name in _PICKED}


def _request_id(given: bytes) -> str:
    return given.decode() if _REQUEST_ID.fullmatch(given) else str(new_id())


def _seconds_left(timeout: bytes | None) -> float | None:
    """Return what the gateway leaves us; a span, since clocks differ between machines."""
    try:
        left = float(timeout or b"nan")
    except ValueError:
        return None
    return max(left, 0.0) if isfinite(left) else None


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
