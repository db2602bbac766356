"""One trace from the gateway to the last statement and job, seen by a collector; and no values."""

from collections import defaultdict

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.receiver import running_receiver
from tests.support.stack import running_stack
from tests.support.waiting import PATIENCE_S, eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow]

CANARY = "canary7f3a"
TRACE = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-00"


@pytest.fixture(scope="module")
def collector():
    with running_receiver() as receiver:
        receiver.answers["/v1/traces"] = 200, {"content-type": "application/x-protobuf"}, b""
        yield receiver


@pytest.fixture(scope="module")
def stack(collector, tmp_path_factory):
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "TRACE_RATIO": "1"}
    with running_stack(tmp_path_factory.mktemp("stack"), **settings) as started:
        yield started


@pytest.fixture
async def client(stack):
    async with httpx.AsyncClient(base_url=stack.url, timeout=PATIENCE_S) as opened:
        yield opened


def found(collector, trace_id):
    """The spans of a trace by (service, name), as far as they have come."""
    spans = defaultdict(list)
    for one in collector.at("/v1/traces"):
        for resource in ExportTraceServiceRequest.FromString(one.body).resource_spans:
            named = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    if span.trace_id.hex() == trace_id:
                        spans[named["service.name"], span.name].append(span)
    return spans


async def send(client, method, path, headers, **options):
    answer = await client.request(method, path, headers=headers | {"traceparent": TRACE}, **options)
    assert answer.status_code < 300, answer.text
    return answer


async def trained(client, training, headers):
    headers = headers | {"traceparent": TRACE}
    answer = await client.post("/api/ai/forecast/train", json=training, headers=headers)
    return answer.is_success


async def test_a_trace_is_whole_and_tells_no_value(stack, collector, client):
    tenant = await stack.new_tenant(client)
    item = {"code": CANARY, "name": CANARY, "unit_cost": "77.1234"}
    await client.post("/api/locations", json={"name": "Main", "type": "warehouse"}, headers=tenant)
    await client.post("/api/inventory/add-item", json=item, headers=tenant)
    moved = {"kind": "receipt", "item": CANARY, "location": "Main", "quantity": "3"}
    await send(client, "POST", "/api/inventory/movements", tenant, json=moved)
    await send(client, "GET", f"/api/inventory/search?q={CANARY}", tenant)
    training = {"item_code": CANARY}
    await eventually(lambda: trained(client, training, tenant))  # Once forecasting knows the item.

    wanted = {
        ("gateway", "POST /api/inventory/movements"),
        ("inventory", "POST /api/inventory/movements"),
        ("inventory", "record movements"), ("inventory", "select levels"),
        ("inventory", "insert movements"), ("inventory", "GET /api/inventory/search"),
        ("forecasting-worker", "train"),
    }  # fmt: skip
    await eventually(lambda: wanted <= set(found(collector, "ab" * 16)))
    spans = found(collector, "ab" * 16)
    by_id = {span.span_id: span for some in spans.values() for span in some}
    (written,) = spans["inventory", "insert movements"]
    chain = [written]
    while chain[-1].parent_span_id in by_id:
        chain.append(by_id[chain[-1].parent_span_id])
    assert [span.name for span in chain] == [
        "insert movements", "record movements", "POST /api/inventory/movements",
        "POST /api/inventory/movements",
    ]  # fmt: skip
    assert chain[-1].parent_span_id.hex() == "cd" * 8  # The caller's own span.
    for one in collector.received:
        assert CANARY.encode() not in one.body.lower()
        assert b"77.1234" not in one.body
        assert b"boss@example.com" not in one.body


async def test_who_says_no_trace_is_answered_one_whose_id_is_the_requests(stack, collector, client):
    answer = await client.get("/health")
    trace_id = answer.headers["traceparent"][3:35]

    assert answer.headers["X-Request-ID"] == trace_id
    await eventually(lambda: ("gateway", "GET /health") in found(collector, trace_id))
    (span,) = found(collector, trace_id)["gateway", "GET /health"]
    assert span.parent_span_id == b""
