"""Health: is the process alive, can it work, and how are the things it depends on."""

import time
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.migrate import head_revision
from shared.errors import NotFound, Unauthorized
from shared.exposition import expose
from shared.journal import aside
from shared.journal.follow import list_standing_still
from shared.metrics import may_read_metrics
from shared.principal import Principal
from shared.resources import Resources, check_cache, check_database
from shared.version import VERSION
from shared.web.permissions import requires
from shared.web.requests import get_resources

router = APIRouter(include_in_schema=False)

CanOperate = Annotated[Principal, Depends(requires("ops:read"))]


@router.get("/health/live")
async def live() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/health/ready")
async def ready(request: Request) -> JSONResponse:
    """Whether this process can answer: its database is there and migrated."""
    resources = get_resources(request)
    reason = await why_not_ready(resources, request.app.state.migrations)
    if reason:
        return JSONResponse({"status": "down", "reason": reason}, status_code=503)
    return JSONResponse({"status": "ok"})


@router.get("/health")
async def health(request: Request) -> JSONResponse:
    """How this service is: without its database down, without anything else degraded."""
    resources = get_resources(request)
    database, cache = await check_database(resources), await check_cache(resources)
    still = await _list_standing_still(resources) if database else []
    body = {
        "status": ("ok" if cache and not still else "degraded") if database else "down",
        "database": "connected" if database else "away",
        "cache": "connected" if cache else "away",
        "standing_still": still,
        "version": VERSION,
    }
    return JSONResponse(body, status_code=200 if database else 503)


@router.get("/status")
async def status(request: Request, _caller: CanOperate) -> dict[str, Any]:
    """Versions, uptime, latencies, journal lags, what was verified and could not be applied."""
    resources = get_resources(request)
    async with AsyncSession(resources.database.engine) as session:
        cursors = (await session.execute(_CURSORS)).mappings().all()
        counted, failed = await aside.summarize(session)
        journal = (await session.execute(_JOURNAL)).mappings().one()
    return {
        "service": resources.service,
        "version": VERSION,
        "uptime_s": round(time.time() - resources.started_at),
        "database_latency_s": await resources.database.ping(),
        "cache": "connected" if await check_cache(resources) else "away",
        "journal": dict(journal),
        "follows": [
            {**cursor, "set_aside": counted.get(cursor["producer"], 0)} for cursor in cursors
        ],
        "set_aside": [dict(entry) for entry in failed],
    }


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Return what is measured, to who has METRICS_TOKEN."""
    settings = get_resources(request).settings
    if not settings.prometheus_enabled:
        raise NotFound
    given = request.headers.get("authorization", "").encode()
    if not may_read_metrics(given, settings.metrics_token):
        raise Unauthorized
    body, content_type = await expose(REGISTRY, request.headers.get("accept", ""))
    return Response(body, headers={"Content-Type": content_type})


async def _list_standing_still(resources: Resources[Any]) -> list[str]:
    try:
        async with AsyncSession(resources.database.engine) as session:
            return list(await list_standing_still(session))
    except SQLAlchemyError:  # It went away meanwhile, or is not migrated: readiness tells.
        return []


async def why_not_ready(resources: Resources[Any], migrations: Path) -> str:
    """Return why this process cannot work now, or an empty text."""
    if not await check_database(resources):
        return "database away"
    try:
        async with AsyncSession(resources.database.engine) as session:
            revision = await session.scalar(_REVISION)
    except ProgrammingError:  # Not even the first migration ran: there is no such table.
        return "migrations pending"
    return "" if revision == head_revision(migrations) else "migrations pending"


_REVISION = text("SELECT version_num FROM alembic_version")
_CURSORS = text("SELECT producer, seq, recorded_at, applied_at, read_at FROM follower_cursors")
_JOURNAL = text("""
    SELECT (SELECT max(number) FROM checkpoints) AS checkpoint,
           (SELECT max(verified_at) FROM verifications WHERE difference IS NULL) AS verified_at,
           (SELECT max(verified_at) FROM verifications WHERE difference IS NULL AND is_full)
               AS verified_in_full_at,
           (SELECT count(*) FROM verifications WHERE difference IS NOT NULL) AS differences""")
