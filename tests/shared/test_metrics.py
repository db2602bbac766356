import pytest
from prometheus_client import generate_latest

from shared import metrics
from shared.metrics import trace_id_of

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    ("traceparent", "trace_id"),
    [(f"00-{TRACE}-b7ad6b7169203331-01", TRACE), ("", ""), ("00-short-b7-01", "")],
)
def test_a_trace_is_told_by_a_well_formed_header_alone(traceparent, trace_id):
    assert trace_id_of(traceparent) == trace_id


def test_no_series_says_when_it_began():
    metrics.db_queries.labels("select", "ok").inc()

    assert b"_created" not in generate_latest()
