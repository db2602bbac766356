"""Traces by OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT says where they go; else nothing.

Whether a request is traced is decided once: by the gateway, for each request that comes to it, and
by a worker, for each job that nobody asked for. Everybody behind them goes by the flag of the
`traceparent` that he is given. Spans carry names of routes, statements and jobs, and ids; never a
path, query, value or person: who reads traces need not be allowed to read stock.
"""

import asyncio
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode, TraceFlags, Tracer

_TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_SERVER_ERROR: Final = 500
_FAREWELL_S: Final = 2.0
_STATEMENT_MAX: Final = 4000  # Characters of a statement that a span carries.
_random = random.SystemRandom()


class _Tracing:
    """What this process traces with; nothing until it is started."""

    tracer: Tracer | None = None
    ratio = 0.0
    close: Callable[[], None] | None = None


def start(process: str, endpoint: str, ratio: float) -> None:
    """Trace from now on that share of what begins here, if there is where to send it."""
    if endpoint:
        from shared.tracing import export  # noqa: PLC0415 - only who traces loads all of it.

        _Tracing.tracer, _Tracing.close = export.open_tracer(process, endpoint)
        _Tracing.ratio = ratio


async def finish() -> None:
    """Trace nothing any more; what has not been sent is, unless that takes too long."""
    close, _Tracing.tracer, _Tracing.close = _Tracing.close, None, None
    if close is None:
        return
    closing = threading.Thread(target=close, daemon=True)  # Not one that the end waits for.
    closing.start()
    await asyncio.to_thread(closing.join, _FAREWELL_S)


def is_on() -> bool:
    """Say whether anything is traced in this process."""
    return _Tracing.tracer is not None


def begin_at_edge(method: str, traceparent: str) -> Span | None:
    """Return the span of a request from outside, if it is chosen to be traced.

    It is part of the caller's trace, if he says one. His flag is not heeded: who writes it would
    decide what tracing costs us.
    """
    tracer = _Tracing.tracer
    if tracer is None or _random.random() >= _Tracing.ratio:
        return None
    return _begin(tracer, method, _parent_of(traceparent, is_sampled=True))


def begin_request(method: str, traceparent: str) -> Span | None:
    """Return the span of a request that somebody before us traces."""
    if _Tracing.tracer is None:
        return None
    parent = _parent_of(traceparent)
    return None if parent is None else _begin(_Tracing.tracer, method, parent)


def end_request(span: Span, request_id: str, method: str, route: str, status: int) -> None:
    """End the span of a request: `route` is a template, `status` 0 where the client had gone."""
    span.update_name(f"{method} {route}")
    span.set_attribute("request_id", request_id)
    span.set_attribute("http.route", route)
    if status:
        span.set_attribute("http.response.status_code", status)
    if status >= _SERVER_ERROR:
        span.set_status(StatusCode.ERROR)
    span.end()


def context_of(span: Span) -> Context:
    """Return the context in which what is done belongs to the span."""
    return trace.set_span_in_context(span)


@contextmanager
def spanning(name: str, traceparent: str = "") -> Iterator[None]:
    """Trace what is done within, as part of the span named; without one, if it is chosen."""
    if _Tracing.tracer is None or not (traceparent or _random.random() < _Tracing.ratio):
        yield
        return
    parent = _parent_of(traceparent)
    if traceparent and parent is None:
        yield
        return
    with _within(_Tracing.tracer, name, parent or Context(), ()):
        yield


@contextmanager
def joining(name: str, spans: Sequence[SpanContext]) -> Iterator[None]:
    """Trace what is done within for all of these spans: as part of the first, linked to others.

    For none of them it is not traced, whatever the task began with.
    """
    if _Tracing.tracer is None:
        yield
        return
    if spans:
        with _within(_Tracing.tracer, name, _context_at(spans[0]), spans[1:]):
            yield
        return
    token = attach(Context())
    try:
        yield
    finally:
        detach(token)


def here() -> SpanContext | None:
    """Return the span within which we are, if it is traced."""
    if _Tracing.tracer is None:
        return None
    context = trace.get_current_span().get_span_context()
    return context if context.is_valid and context.trace_flags.sampled else None


def traceparent_here() -> str:
    """Return what lets work that is queued now be part of this trace; empty where none is."""
    return "" if here() is None else traceparent_of(trace.get_current_span())


def traceparent_of(span: Span) -> str:
    """Return what tells another process of the span."""
    found = span.get_span_context()
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"


def trace_id_of(traceparent: str) -> str:
    """Return the trace's id in a traceparent; empty if it is none."""
    found = _TRACEPARENT.fullmatch(traceparent)
    return "" if found is None else found[1]


def record_statement(
    statement: str, verb: str, table: str, elapsed_s: float, *, failed: bool = False
) -> None:
    """Record a statement that has just ended, within the span that sent it."""
    if here() is None or _Tracing.tracer is None:
        return
    ended_ns = time.time_ns()
    span = _Tracing.tracer.start_span(
        f"{verb} {table}",
        kind=SpanKind.CLIENT,
        start_time=ended_ns - int(elapsed_s * 1e9),
        attributes={
            "db.system.name": "postgresql",
            "db.operation.name": verb,
            "db.collection.name": table,
            "db.query.text": statement[:_STATEMENT_MAX],
        },
    )
    if failed:
        span.set_status(StatusCode.ERROR)
    span.end(ended_ns)


@contextmanager
def _within(
    tracer: Tracer, name: str, parent: Context, joined: Sequence[SpanContext]
) -> Iterator[None]:
    """Open a span; of what is raised within it tells the kind alone, since messages have values."""
    with tracer.start_as_current_span(
        name,
        parent,
        links=[Link(other) for other in joined],
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except Exception as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise


def _begin(tracer: Tracer, method: str, parent: Context | None) -> Span:
    attributes = {"http.request.method": method}
    return tracer.start_span(
        method, parent or Context(), kind=SpanKind.SERVER, attributes=attributes
    )


def _parent_of(traceparent: str, *, is_sampled: bool = False) -> Context | None:
    """Return the context of a span elsewhere, if it is one and traced."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or not (is_sampled or int(found[3], 16) & TraceFlags.SAMPLED):
        return None
    context = SpanContext(
        int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=_SAMPLED
    )
    return _context_at(context) if context.is_valid else None


def _context_at(context: SpanContext) -> Context:
    return trace.set_span_in_context(trace.NonRecordingSpan(context), Context())


_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
