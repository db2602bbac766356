"""Sending spans: in batches, from a thread, with bounds; what does not fit is dropped and counted.

Loaded only in processes that trace.
"""

import threading
from collections.abc import Callable, Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Tracer
from prometheus_client import Counter

from shared.version import VERSION

SPANS_MAX = 4096  # That wait to be sent.
SEND_TIMEOUT_S = 5
SEND_EACH_MS = 1000
spans = Counter("trace_spans_total", "Spans of traces, by what became of them.", ["outcome"])
for _outcome in ("sent", "failed", "dropped"):
    spans.labels(_outcome)


class BoundedProcessor(BatchSpanProcessor):
    """Keeps ended spans until they are sent; drops what is more than it may keep."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._waiting = 0
        self._lock = threading.Lock()
        super().__init__(
            _Counting(exporter, self._sent),
            max_queue_size=2 * SPANS_MAX,  # Never reached: we count by ourselves.
            schedule_delay_millis=SEND_EACH_MS,
        )

    def on_end(self, span: ReadableSpan) -> None:
        with self._lock:
            if self._waiting >= SPANS_MAX:
                spans.labels("dropped").inc()
                return
            self._waiting += 1
        super().on_end(span)

    def _sent(self, count: int) -> None:
        with self._lock:
            self._waiting -= count


class _Counting(SpanExporter):
    """Sends by another exporter, and tells what became of how many."""

    def __init__(self, exporter: SpanExporter, sent: Callable[[int], None]) -> None:
        self._exporter = exporter
        self._sent = sent

    def export(self, batch: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(batch)
        finally:
            self._sent(len(batch))
            is_sent = result is SpanExportResult.SUCCESS
            spans.labels("sent" if is_sent else "failed").inc(len(batch))
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def open_tracer(process: str, endpoint: str) -> tuple[Tracer, Callable[[], None]]:
    """Return what traces for a process, and what sends the rest and ends it.

    Spans go as OTLP over HTTP to `/v1/traces` below the endpoint.
    """
    resource = Resource({"service.name": process, "service.version": VERSION})
    exporter = OTLPSpanExporter(endpoint.rstrip("/") + "/v1/traces", timeout=SEND_TIMEOUT_S)
    provider = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False)
    provider.add_span_processor(BoundedProcessor(exporter))
    return provider.get_tracer("stockwright", VERSION), provider.shutdown
