"""Counting requests under the names that every process has.

prometheus_client's own counters take a lock for every step, 10 µs a request; all of this runs in
one event loop, so plain numbers do, and are given their form when somebody asks for /metrics.
"""

import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from gateway.breaker import Circuit
from shared.exposition import expose
from shared.metrics import HTTP_BUCKETS_S, SIZE_BUCKETS_BYTES, trace_id_of
from shared.tls import certificate_expiry

CLIENT_GONE: Final = 499  # The status of a request whose client left before any answer.


class Distribution:
    """How often values fell into which bucket."""

    __slots__ = ("_bounds", "_counts", "_examples", "_total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._examples: list[tuple[bytes, float, float] | None] = [None] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, value: float, traceparent: bytes = b"") -> None:
        at = bisect_left(self._bounds, value)
        self._counts[at] += 1
        self._total += value
        if traceparent:
            self._examples[at] = (traceparent, value, time.time())

    def add_to(self, family: HistogramMetricFamily, labels: Sequence[str]) -> None:
        """Put this into a metric as Prometheus wants it: each bucket with those below it."""
        reached = 0
        buckets: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
        for at, bound in enumerate((*self._bounds, float("inf"))):
            reached += self._counts[at]
            name = "+Inf" if bound == float("inf") else str(float(bound))
            example = self._example(at)
            buckets.append((name, reached) if example is None else (name, reached, example))
        family.add_metric(labels, buckets, self._total)

    def _example(self, at: int) -> Exemplar | None:
        example = self._examples[at]
        if example is None:
            return None
        traceparent, value, seen_at = example
        return Exemplar({"trace_id": trace_id_of(traceparent.decode("latin-1"))}, value, seen_at)


class RouteCounts:
    """What is counted for one method and route."""

    __slots__ = ("duration", "request_size", "response_size", "statuses")

    def __init__(self) -> None:
        self.statuses: dict[int, int] = defaultdict(int)
        self.duration = Distribution(HTTP_BUCKETS_S)
        self.request_size = Distribution(SIZE_BUCKETS_BYTES)
        self.response_size = Distribution(SIZE_BUCKETS_BYTES)


class HttpMetrics(Collector):
    """Requests by method, route and status. Routes are of a table and methods of a list."""

    def __init__(self) -> None:
        self.in_progress: dict[str, int] = defaultdict(int)
        self._routes: dict[tuple[str, str], RouteCounts] = defaultdict(RouteCounts)

    def observe(
        self,
        method: str,
        route: str,
        status: int,
        started: float,
        sizes: tuple[int, int],
        traceparent: bytes = b"",
    ) -> None:
        """Count a request that has ended; `started` by `time.perf_counter`, sizes in bytes."""
        counts = self._routes[method, route]
        counts.statuses[status or CLIENT_GONE] += 1
        counts.duration.add(time.perf_counter() - started, traceparent)
        counts.request_size.add(sizes[0])
        counts.response_size.add(sizes[1])

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, as `prometheus_client` asks."""
        labels = ["method", "route"]
        requests = CounterMetricFamily(
            "http_requests", "Requests answered.", labels=[*labels, "status_code"]
        )
        duration = HistogramMetricFamily(
            "http_request_duration_seconds",
            "Time from request to the end of the answer.",
            labels=labels,
        )
        request_size = HistogramMetricFamily(
            "http_request_size_bytes", "Body size of requests.", labels=labels
        )
        response_size = HistogramMetricFamily(
            "http_response_size_bytes", "Body size of answers.", labels=labels
        )
        for names, counts in self._routes.items():
            for status, count in counts.statuses.items():
                requests.add_metric([*names, str(status)], count)
            counts.duration.add_to(duration, names)
            counts.request_size.add_to(request_size, names)
            counts.response_size.add_to(response_size, names)
        yield from (requests, duration, request_size, response_size, self._in_progress())

    def _in_progress(self) -> Metric:
        gauge = GaugeMetricFamily(
            "http_requests_in_progress", "Requests being answered.", labels=["method"]
        )
        for method, count in self.in_progress.items():
            gauge.add_metric([method], count)
        return gauge


class UpstreamMetrics(Collector):
    """Requests that went to a service, by how they ended."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = defaultdict(int)

    def add(self, service: str, outcome: str) -> None:
        """Count one; services and outcomes are few."""
        self._counts[service, outcome] += 1

    def collect(self) -> Iterator[Metric]:
        """Yield the metric, as `prometheus_client` asks."""
        family = CounterMetricFamily(
            "upstream_requests", "Requests forwarded to a service.", labels=["service", "outcome"]
        )
        for names, count in self._counts.items():
            family.add_metric(names, count)
        yield family


class CircuitMetrics(Collector):
    """How each service is thought to be; of several instances, the worst."""

    def __init__(self) -> None:
        self.states: Callable[[], Mapping[str, Circuit]] = dict

    def collect(self) -> Iterator[Metric]:
        """Yield the metric, as `prometheus_client` asks."""
        family = GaugeMetricFamily(
            "upstream_circuit_state", "0 closed, 1 half-open, 2 open.", labels=["service"]
        )
        for service, state in self.states().items():
            family.add_metric([service], state)
        yield family


registry = CollectorRegistry()
for make in (ProcessCollector, PlatformCollector, GCCollector):
    make(registry=registry)
http = HttpMetrics()
registry.register(http)
upstream = UpstreamMetrics()
registry.register(upstream)
registry.register(certificate_expiry)
circuits = CircuitMetrics()
registry.register(circuits)
shed = Counter(
    "requests_shed_total", "Requests refused since a service was busy.", ["service"],
    registry=registry,
)  # fmt: skip
connections_ended = Counter(
    "client_connections_ended_total",
    "Connections at rest that were closed for new ones.",
    registry=registry,
)
connections_refused = Counter(
    "client_connections_refused_total", "Connections refused, all being busy.", registry=registry
)
rate_limited = Counter(
    "rate_limited_total", "Requests refused by a rate.", ["rule"], registry=registry
)
revocations_age = Gauge(
    "revocations_age_seconds",
    "Age of what is known of ended sessions: from 5 on nothing can be changed, from 300 on read.",
    registry=registry,
)
rates_shared = Gauge(
    "rate_limits_shared",
    "1 while requests are counted in Redis, 0 while each gateway counts its own.",
    registry=registry,
)
system_health = Gauge("system_health_status", "1 healthy, 0 not.", ["component"], registry=registry)
event_loop_lag = Gauge(
    "event_loop_lag_seconds", "How late a timer of this process fires.", registry=registry
)


async def text(accept: str = "") -> tuple[bytes, str]:
    """Return (all metrics, their content type) in the form that `accept` asks for."""
    return await expose(registry, accept)


def report_health(statuses: Iterable[tuple[str, str]]) -> None:
    """Set the health of each component: "ok" or anything else."""
    for component, status in statuses:
        system_health.labels(component).set(status == "ok")
