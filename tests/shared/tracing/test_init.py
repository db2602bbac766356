"""What is traced, and what a span may say."""

import pytest
from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared import tracing
from shared.tracing import _Tracing

TRACE = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-"
CANARY = "canary-7f3a"


@pytest.fixture
def spans(monkeypatch):
    """Trace everything in memory, and return the function that gives the spans that ended."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(_Tracing, "tracer", provider.get_tracer("test"))
    monkeypatch.setattr(_Tracing, "ratio", 1.0)
    return exporter.get_finished_spans


def test_nothing_is_traced_unless_it_is_started():
    assert not tracing.is_on()
    assert tracing.begin_at_edge("GET", TRACE + "01") is None
    assert tracing.begin_request("GET", TRACE + "01") is None
    with tracing.spanning("work"), tracing.joining("more", []):
        assert tracing.here() is None
        assert tracing.traceparent_here() == ""


def test_a_request_from_outside_joins_its_callers_trace_whatever_his_flag_says(spans):
    span = tracing.begin_at_edge("POST", TRACE + "00")
    tracing.end_request(span, "r-1", "POST", "/api/inventory/{item_id}", 201)

    (ended,) = spans()
    assert f"{ended.context.trace_id:032x}" == "ab" * 16
    assert f"{ended.parent.span_id:016x}" == "cd" * 8
    assert ended.name == "POST /api/inventory/{item_id}"
    assert dict(ended.attributes) == {
        "http.request.method": "POST", "http.route": "/api/inventory/{item_id}",
        "http.response.status_code": 201, "request_id": "r-1",
    }  # fmt: skip


def test_nobody_outside_decides_that_he_is_traced(spans, monkeypatch):
    monkeypatch.setattr(_Tracing, "ratio", 0.0)

    assert tracing.begin_at_edge("GET", TRACE + "01") is None


@pytest.mark.parametrize(
    "given", ["", "nonsense", TRACE + "00", "00-" + "0" * 32 + "-cdcdcdcdcdcdcdcd-01"]
)
def test_a_service_traces_what_is_traced_before_it_and_nothing_else(spans, given):
    assert tracing.begin_request("GET", given) is None
    assert tracing.begin_request("GET", TRACE + "01") is not None


@pytest.mark.parametrize(
    ("status", "is_error"), [(200, False), (404, False), (500, True), (0, False)]
)
def test_only_a_fault_of_ours_is_an_error(spans, status, is_error):
    tracing.end_request(tracing.begin_request("GET", TRACE + "01"), "r", "GET", "/x", status)

    assert (spans()[0].status.status_code is trace.StatusCode.ERROR) is is_error


def test_of_an_error_the_kind_is_told_and_no_message(spans):
    with pytest.raises(ValueError, match=CANARY), tracing.spanning("work"):
        raise ValueError(CANARY)

    (ended,) = spans()
    assert ended.attributes["error.type"] == "ValueError"
    assert CANARY not in ended.to_json()


def test_a_statement_belongs_to_the_span_that_sent_it(spans):
    with tracing.spanning("work"):
        tracing.record_statement("SELECT 1 FROM items", "select", "items", 0.25)
    tracing.record_statement("SELECT 2 FROM items", "select", "items", 0.25)

    statement, work = spans()
    assert statement.name == "select items"
    assert statement.parent.span_id == work.context.span_id
    assert statement.end_time - statement.start_time == pytest.approx(250_000_000, rel=0.01)


def test_queued_work_goes_on_in_the_trace_that_asked_for_it(spans):
    with tracing.spanning("ask"):
        queued = tracing.traceparent_here()
    with tracing.spanning("do", queued):
        pass

    asked, done = spans()
    assert done.context.trace_id == asked.context.trace_id
    assert done.parent.span_id == asked.context.span_id


def test_work_that_untraced_requests_queued_is_not_traced(spans):
    with tracing.spanning("do", TRACE + "00"):
        assert tracing.here() is None

    assert spans() == ()


def test_what_is_done_for_several_is_part_of_the_first_and_linked_to_the_others(spans):
    first, second = (tracing.begin_at_edge("POST", "") for _ in range(2))
    contexts = [span.get_span_context() for span in (first, second)]

    with tracing.joining("record", contexts):
        pass

    (ended,) = spans()
    assert ended.parent.span_id == contexts[0].span_id
    assert [link.context.span_id for link in ended.links] == [contexts[1].span_id]


def test_what_is_done_for_untraced_requests_is_not_part_of_what_the_task_began_with(spans):
    token = attach(tracing.context_of(tracing.begin_at_edge("POST", "")))
    with tracing.joining("record", []):
        assert tracing.here() is None
    assert tracing.here() is not None
    detach(token)


@pytest.mark.parametrize(("given", "found"), [(TRACE + "01", "ab" * 16), ("", ""), ("x", "")])
def test_a_traceparent_names_its_trace(given, found):
    assert tracing.trace_id_of(given) == found
