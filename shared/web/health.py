"""Health: is the process alive, can it work, and how are the things it depends on."""

import asyncio
import platform
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clock import utc_now
from shared.db import OpenFor
from shared.db.revisions import head_revision
from shared.errors import NotFound, Unauthorized
from shared.exposition import expose
from shared.journal import aside
from shared.journal.follow import list_standing_still
from shared.metrics import may_read_metrics
from shared.principal import Principal
from shared.resources import Resources, check_cache, check_database
from shared.security.sealing import count_seals
from shared.tls import list_certificates
from shared.version import VERSION
from shared.web.permissions import requires
from shared.web.requests import get_resources

router = APIRouter(include_in_schema=False)

UNWELL = frozenset({"late", "failed"})
_OWN_HEALTH_S = 0.5  # The gateway waits a second for the whole.

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
    own = await _tell_health(resources) if database else {}
    is_well = cache and not still and UNWELL.isdisjoint(own.values())
    body = {
        "status": ("ok" if is_well else "degraded") if database else "down",
        "database": "connected" if database else "away",
        "cache": "connected" if cache else "away",
        "standing_still": still,
        **own,
        "version": VERSION,
    }
    return JSONResponse(body, status_code=200 if database else 503)


@router.get("/status")
async def status(request: Request, _caller: CanOperate) -> dict[str, Any]:
    """Versions, uptime, latencies, lags, queues, keys, certificates, what was verified."""
    resources = get_resources(request)
    now = utc_now()
    async with AsyncSession(resources.database.engine) as session:
        cursors = (await session.execute(_CURSORS)).mappings().all()
        counted, failed = await aside.summarize(session)
        journal = (await session.execute(_JOURNAL)).mappings().one()
        versions = (await session.execute(_VERSIONS)).mappings().one()
    own = await resources.tell_state(_opener(resources), now) if resources.tell_state else {}
    began = time.perf_counter()
    cache = await check_cache(resources)
    return {
        "service": resources.service,
        "version": VERSION,
        "versions": {"python": platform.python_version(), **versions},
        "uptime_s": round(time.time() - resources.started_at),
        "database_latency_s": await resources.database.ping(),
        "cache": "connected" if cache else "away",
        "cache_latency_s": time.perf_counter() - began if cache else None,
        "journal": dict(journal),
        "follows": [
            {
                **cursor,
                "read_ago_s": _seconds_since(cursor["read_at"], now),
                "set_aside": counted.get(cursor["producer"], 0),
            }
            for cursor in cursors
        ],
        "set_aside": [dict(entry) for entry in failed],
        "certificates": list_certificates(now.timestamp()),
        "seals": count_seals(),
        **own,
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


async def _tell_health(resources: Resources[Any]) -> Mapping[str, str]:
    if resources.tell_health is None:
        return {}
    try:
        async with asyncio.timeout(_OWN_HEALTH_S):
            return await resources.tell_health(_opener(resources), utc_now())
    except (SQLAlchemyError, TimeoutError):  # As below.
        return {}


def _opener(resources: Resources[Any]) -> OpenFor:
    return resources.database.opener("health")


def _seconds_since(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else round((now - moment).total_seconds(), 1)


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
_VERSIONS = text("""
    SELECT current_setting('server_version') AS postgresql, version_num AS migration
    FROM alembic_version""")
_JOURNAL = text("""
    SELECT (SELECT max(number) FROM checkpoints) AS checkpoint,
           (SELECT max(verified_at) FROM verifications WHERE difference IS NULL) AS verified_at,
           (SELECT max(verified_at) FROM verifications WHERE difference IS NULL AND is_full)
               AS verified_in_full_at,
           (SELECT count(*) FROM verifications WHERE difference IS NOT NULL) AS differences""")
