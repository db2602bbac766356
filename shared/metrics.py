"""The metrics that every process has, under the names that dashboards and alerts rely on."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics
from pydantic import SecretStr

disable_created_metrics()  # type: ignore[no-untyped-call]  # A seventh of all lines, and nobody asks when a series began.

UNMATCHED_ROUTE = "unmatched"
CLIENT_WENT = 499  # As nginx logs it: the client closed before an answer.
HTTP_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SIZE_BUCKETS_BYTES = (256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 16_777_216)

http_requests = Counter(
    "http_requests_total", "Requests answered.", ["method", "route", "status_code"]
)
http_duration = Histogram(
    "http_request_duration_seconds",
    "Time from request to the end of the answer.",
    ["method", "route"],
    buckets=HTTP_BUCKETS_S,
)
http_request_size = Histogram(
    "http_request_size_bytes", "Body size of requests.", ["method", "route"],
    buckets=SIZE_BUCKETS_BYTES,
)  # fmt: skip
http_response_size = Histogram(
    "http_response_size_bytes", "Body size of answers.", ["method", "route"],
    buckets=SIZE_BUCKETS_BYTES,
)  # fmt: skip
http_in_progress = Gauge("http_requests_in_progress", "Requests being answered.", ["method"])

db_duration = Histogram(
    "db_query_duration_seconds",
    "Time of a statement.",
    ["db_type", "operation", "table"],
    buckets=HTTP_BUCKETS_S,
)
db_queries = Counter("db_queries_total", "Statements sent.", ["operation", "status"])
db_latency = Gauge("db_latency_seconds", "Round trip of a trivial statement, by the health probe.")
db_pool_size = Gauge("db_connection_pool_size", "Connections this process may open.")
db_pool_active = Gauge("db_connection_pool_active", "Connections lent out now.")

cache_hits = Counter("cache_hits_total", "Values found in the cache.", ["key_prefix"])
cache_misses = Counter("cache_misses_total", "Values not found in the cache.", ["key_prefix"])
cache_duration = Histogram(
    "cache_operation_duration_seconds", "Time of a cache operation.", ["operation"],
    buckets=HTTP_BUCKETS_S,
)  # fmt: skip

journal_lag_entries = Gauge(
    "journal_lag_entries", "Entries of a journal not yet applied here.", ["producer"]
)
journal_lag_seconds = Gauge(
    "journal_lag_seconds", "Age of the oldest entry not yet applied here.", ["producer"]
)
journal_entries_set_aside = Gauge(
    "journal_entries_set_aside",
    "Entries of a journal that could not be applied here, or wait behind one.",
    ["producer"],
)
audit_chain_verified = Gauge(
    "audit_chain_verified_timestamp_seconds", "When the chain last verified as whole.", ["service"]
)
audit_chain_broken = Gauge(
    "audit_chain_broken",
    "1 where the last verification found a difference, or nothing more is sealed.",
    ["service"],
)
partition_months_ahead = Gauge(
    "partition_months_ahead",
    "Months after this one that have their partition; below 0 this one has none.",
    ["table"],
)
partition_default_used = Gauge(
    "partition_default_used", "1 where rows lie in the default partition.", ["table"]
)
retention_last_success = Gauge(
    "retention_last_success_timestamp_seconds",
    "When retention last ran to its end; 0 where it never did.",
    ["service"],
)
retention_rows_archived = Counter(
    "retention_rows_archived_total", "Rows that went into archives.", ["kind"]
)
system_health = Gauge("system_health_status", "1 healthy, 0 not.", ["component"])
event_loop_lag = Gauge("event_loop_lag_seconds", "How late a timer of this process fires.")

_NAMED = re.compile(r"\s*/\* (select|insert|update|delete) ([a-z_]+) \*/")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_VERB_AND_TABLE = re.compile(
    r"\s*(?:WITH\b.*?\b)?(SELECT|INSERT|UPDATE|DELETE)\b(?:.*?\b(?:FROM|INTO|UPDATE)\s+|\s+)?([a-z_]+)?",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class RequestMetrics:
    """The metrics of one method and route, found once."""

    duration: Histogram
    request_size: Histogram
    response_size: Histogram


@lru_cache(maxsize=4096)
def of_route(method: str, route: str) -> RequestMetrics:
    """Return the metrics of a route; methods and routes are few."""
    return RequestMetrics(
        http_duration.labels(method, route),
        http_request_size.labels(method, route),
        http_response_size.labels(method, route),
    )


@lru_cache(maxsize=16_384)
def requests_of(method: str, route: str, status: int) -> Counter:
    """Return the counter of a route's answers with this status."""
    return http_requests.labels(method, route, status)


@lru_cache(maxsize=32)
def in_progress_of(method: str) -> Gauge:
    """Return the gauge of a method; unknown ones are refused before they get here."""
    return http_in_progress.labels(method)


def observe_request(
    method: str,
    route: str,
    status: int,
    *,
    duration_s: float,
    request_bytes: int,
    response_bytes: int,
    trace_id: str = "",
) -> None:
    """Record one request that is over, by whichever engine measured it."""
    requests_of(method, route, status).inc()
    observed = of_route(method, route)
    observed.duration.observe(duration_s, {"trace_id": trace_id} if trace_id else None)
    observed.request_size.observe(request_bytes)
    observed.response_size.observe(response_bytes)


def trace_id_of(traceparent: str) -> str:
    """Return the trace that a `traceparent` (W3C) belongs to; an empty text where it is none."""
    found = _TRACEPARENT.fullmatch(traceparent)
    return found[1] if found else ""


def may_read_metrics(authorization: bytes, token: SecretStr) -> bool:
    """Say whether an Authorization header is that of who reads the metrics."""
    expected = b"Bearer " + token.get_secret_value().encode()
    return hmac.compare_digest(authorization, expected)


def route_of(scope: Mapping[str, Any]) -> str:
    """Return the template of the route that a request was for."""
    return getattr(scope.get("route"), "path", UNMATCHED_ROUTE)


def size_of(length: str | None) -> int:
    """Return what a Content-Length says, 0 when it says nothing."""
    return int(length) if length and length.isdigit() else 0


def observe_statement(operation: str, table: str, duration_s: float, *, failed: bool) -> None:
    """Record one statement; of one that the database refused or lost no duration."""
    if failed:
        db_queries.labels(operation, "error").inc()
        return
    db_duration.labels("postgresql", operation, table).observe(duration_s)
    db_queries.labels(operation, "ok").inc()


@lru_cache(maxsize=4096)
def labels_of(statement: str) -> tuple[str, str]:
    """Return verb and table of a statement: the first ones, or those of a comment before it.

    Our statements are constants, so few differ.
    """
    found = _NAMED.match(statement) or _VERB_AND_TABLE.match(statement)
    if not found:
        return "other", "none"
    return found.group(1).lower(), (found.group(2) or "none").lower()
