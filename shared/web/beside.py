"""Health and metrics of the backup job, over HTTP."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.backups.settings import Settings
from shared.metrics import may_read_metrics


def health_app(settings: Settings, is_ready: Callable[[], bool]) -> Starlette:
    """Return what the job answers; it is ready once it knows which database it is for."""

    def live(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    def ready(_request: Request) -> Response:
        if is_ready():
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "down", "reason": "database away"}, status_code=503)

    def metrics(request: Request) -> Response:
        if not settings.prometheus_enabled:
            return Response(status_code=404)
        given = request.headers.get("authorization", "").encode()
        if not may_read_metrics(given, settings.metrics_token):
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/health/live", live),
            Route("/health/ready", ready),
            Route("/health", ready),
            Route("/metrics", metrics),
        ]
    )


async def serve_health(settings: Settings, is_ready: Callable[[], bool]) -> None:
    """Serve them for ever; signals are left to the process."""
    config = uvicorn.Config(
        health_app(settings, is_ready),
        host=settings.host,
        port=settings.metrics_port or 0,
        lifespan="off",
        access_log=False,
        log_config=None,
    )
    server: Any = uvicorn.Server(config)
    server.capture_signals = nullcontext  # The job handles signals for the whole process.
    await server.serve()
