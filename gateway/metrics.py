"""Counting requests: the names that every process has, with their children looked up once."""

import time
from functools import cache
from typing import NamedTuple

from prometheus_client import Counter, Gauge, Histogram

from shared.metrics import (
    http_duration,
    http_in_progress,
    http_request_size,
    http_requests,
    http_response_size,
)

CLIENT_GONE = 499  # The label of a request whose client left before any answer.

upstream_requests = Counter(
    "upstream_requests_total", "Requests forwarded to a service.", ["service", "outcome"]
)


class _Route(NamedTuple):
    duration: Histogram
    request_size: Histogram
    response_size: Histogram


@cache  # Methods come from a fixed list.
def in_progress(method: str) -> Gauge:
    """Return the gauge of requests being answered."""
    return http_in_progress.labels(method)


def observe(method: str, route: str, status: int, started: float, sizes: tuple[int, int]) -> None:
    """Count a request that has ended. `route` is of the table, never a path; sizes in bytes."""
    histograms = _route(method, route)
    histograms.duration.observe(time.perf_counter() - started)
    histograms.request_size.observe(sizes[0])
    histograms.response_size.observe(sizes[1])
    _requests(method, route, status or CLIENT_GONE).inc()


def count_upstream(service: str, outcome: str) -> None:
    """Count what became of a forwarded request."""
    _upstream(service, outcome).inc()


@cache
def _route(method: str, route: str) -> _Route:
    return _Route(
        http_duration.labels(method, route),
        http_request_size.labels(method, route),
        http_response_size.labels(method, route),
    )


@cache
def _requests(method: str, route: str, status: int) -> Counter:
    return http_requests.labels(method, route, status)


@cache
def _upstream(service: str, outcome: str) -> Counter:
    return upstream_requests.labels(service, outcome)
