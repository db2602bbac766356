"""Spans that wait to be sent are bounded, and what becomes of each is counted."""

import subprocess
import sys
import threading

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from shared.tracing import export
from shared.tracing.export import BoundedProcessor, spans


class Collector(SpanExporter):
    """Takes spans once it is let."""

    def __init__(self):
        self.may_take = threading.Event()
        self.taken = []
        self.answers = SpanExportResult.SUCCESS

    def export(self, batch):
        self.may_take.wait(10)
        self.taken += batch
        return self.answers

    def shutdown(self):
        self.may_take.set()


@pytest.fixture
def collector():
    return Collector()


@pytest.fixture
def tracer(collector, monkeypatch):
    monkeypatch.setattr(export, "SPANS_MAX", 600)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BoundedProcessor(collector))
    yield provider.get_tracer("test"), provider
    provider.shutdown()


def count(outcome):
    return spans.labels(outcome)._value.get()


def test_a_slow_collector_costs_no_more_than_a_bounded_number_of_spans(tracer, collector):
    tracer, provider = tracer
    before = count("dropped"), count("sent")

    for _ in range(1500):
        tracer.start_span("one").end()
    collector.may_take.set()
    provider.force_flush()

    assert len(collector.taken) == 600
    assert (count("dropped") - before[0], count("sent") - before[1]) == (900, 600)


def test_what_the_collector_refuses_is_counted_and_makes_room(tracer, collector):
    tracer, provider = tracer
    before = count("failed")
    collector.answers = SpanExportResult.FAILURE
    collector.may_take.set()

    for _ in range(3):
        for _ in range(400):
            tracer.start_span("one").end()
        provider.force_flush()

    assert count("failed") - before == 1200


@pytest.mark.slow
def test_who_does_not_trace_loads_nothing_that_sends():
    code = (
        "import sys; from shared import tracing; import services.inventory.app, gateway.app;"
        "tracing.start('x', '', 1.0);"
        "print([m for m in sys.modules if m.startswith(('opentelemetry.exporter', 'google'))])"
    )
    done = subprocess.run(  # noqa: S603 - our own command.
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
