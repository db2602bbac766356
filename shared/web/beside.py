"""Health and metrics of a process that serves no requests, on a port beside its work."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import uvicorn
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from shared.exposition import expose
from shared.metrics import may_read_metrics
from shared.settings import ProcessSettings


def health_app(settings: ProcessSettings, is_ready: Callable[[], bool]) -> Starlette:
    """Return what a job answers; it is not ready while the database that it is for is away."""

    def live(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    def ready(_request: Request) -> Response:
        if is_ready():
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "down", "reason": "database away"}, status_code=503)

    async def metrics(request: Request) -> Response:
        if not settings.prometheus_enabled:
            return Response(status_code=404)
        given = request.headers.get("authorization", "").encode()
        if not may_read_metrics(given, settings.metrics_token):
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        body, content_type = await expose(REGISTRY, request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": content_type})

    return Starlette(
        routes=[
            Route("/health/live", live),
            Route("/health/ready", ready),
            Route("/health", ready),
            Route("/metrics", metrics),
        ]
    )


async def serve_beside(
    app: ASGIApp,
    settings: ProcessSettings,
    **options: Any,  # noqa: ANN401 - uvicorn's own.
) -> None:
    """Serve the app on METRICS_PORT for ever; signals are left to the process."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.metrics_port or 0,
        lifespan="off",
        access_log=False,
        log_config=None,
        **options,
    )
    server: Any = uvicorn.Server(config)
    server.capture_signals = nullcontext  # The work handles signals for the whole process.
    await server.serve()
