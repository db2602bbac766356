"""The other engine of HTTP metrics: prometheus-fastapi-instrumentator, with our names and labels.

`METRICS_ENGINE=instrumentator` puts its middleware around our request layer, which then measures
nothing but the requests in progress: the package's functions run only when a request is over.
"""

from fastapi import FastAPI
from prometheus_fastapi_instrumentator import Instrumentator
from prometheus_fastapi_instrumentator.metrics import Info
from starlette.datastructures import Headers

from shared import metrics

_ANSWERED = "x-request-id"  # Our layer sets it on every answer; without it nobody was answered.


def instrument(app: FastAPI) -> None:
    """Have the package measure every request of the app."""
    engine = Instrumentator(should_group_status_codes=False, should_group_untemplated=False)
    engine.add(_observe).instrument(app)


def _observe(info: Info) -> None:
    headers = info.response.headers if info.response is not None else Headers()
    metrics.observe_request(
        info.method,
        metrics.route_of(info.request.scope),
        int(info.modified_status) if _ANSWERED in headers else metrics.CLIENT_WENT,
        duration_s=info.modified_duration,
        request_bytes=metrics.size_of(info.request.headers.get("content-length")),
        response_bytes=metrics.size_of(headers.get("content-length")),
        trace_id=metrics.trace_id_of(info.request.headers.get("traceparent", "")),
    )
