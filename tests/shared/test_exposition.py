import asyncio

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from shared.exposition import SLICE_LINES, expose

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


def busy_registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    requests = Counter("requests_total", "Requests.", ["route"], registry=registry)
    duration = Histogram("duration_seconds", "Time.", ["route"], registry=registry)
    Gauge("items_total", "Items.", registry=registry).set(3)
    Gauge("nothing", "Without a series.", ["of"], registry=registry)
    for number in range(SLICE_LINES):
        requests.labels(f"/{number}").inc(number)
        duration.labels(f"/{number}").observe(number / 10, {"trace_id": f"{number:032x}"})
    return registry


async def test_slices_say_what_the_whole_says():
    registry = busy_registry()

    body, content_type = await expose(registry, "")

    assert sorted(body.splitlines()) == sorted(
        line
        for line in generate_latest(registry).splitlines()
        if not line.startswith((b"# HELP nothing", b"# TYPE nothing"))
    )
    assert content_type.startswith("text/plain")


async def test_openmetrics_has_exemplars_and_one_end():
    body, content_type = await expose(busy_registry(), OPENMETRICS)

    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    traces = {
        sample.exemplar.labels["trace_id"]
        for sample in families["duration_seconds"].samples
        if sample.exemplar
    }
    assert content_type.startswith("application/openmetrics-text")
    assert len(traces) == SLICE_LINES
    assert body.count(b"# EOF") == 1
    assert body.count(b"# TYPE duration_seconds ") == 1


async def test_a_scrape_lets_others_run_between_slices():
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(count())
    body, _ = await expose(busy_registry(), "")
    other.cancel()

    assert turns >= len(body.splitlines()) // SLICE_LINES
