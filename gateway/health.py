"""Health of the whole, as seen from the front door."""

import asyncio
import platform
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

import httpx

from gateway import metrics
from gateway.routes import SERVICES
from shared.security.gateway_proof import HEADER, GatewayProof
from shared.tls import list_certificates
from shared.version import VERSION

TIMEOUT_S: Final = 1.0
KEPT_S: Final = 1.0  # Anybody may ask for /health; the services are asked once in so long.
ESSENTIAL: Final = frozenset({"auth", "inventory"})
CONNECTED: Final = "connected"

Report = dict[str, Any]
Reports = Mapping[str, Report | None]  # By service; None: no report was to be had.


class Health:
    """Asks the services how they are."""

    def __init__(
        self, client: httpx.AsyncClient, addresses: Mapping[str, str], proof: GatewayProof
    ) -> None:
        self._client = client
        self._addresses = addresses
        self._proof = proof
        self._started_at = time.time()
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[Report] | None = None

    async def whole(self) -> Report:
        """Return the health of all services together; who asks within a second shares it."""
        now = time.monotonic()
        if self._asking is None or (self._asking.done() and now - self._asked_at > KEPT_S):
            self._asked_at = now
            self._asking = asyncio.create_task(self._examine())
        return await asyncio.shield(self._asking)

    async def status(self, authorization: bytes, request_id: bytes, client: bytes) -> Report:
        """Return each service's own /status, asked in the name of the caller."""
        headers = {
            b"Authorization": authorization,
            b"X-Request-ID": request_id,
            HEADER: self._proof.make(client, request_id, b"GET", b"/status"),
        }
        latencies: dict[str, float] = {}
        services = await self._ask_all("/status", headers, latencies)
        return {
            "version": VERSION,
            "versions": {"python": platform.python_version()},
            "uptime_s": round(time.time() - self._started_at),
            "certificates": list_certificates(time.time()),
            "latencies_s": latencies,  # Of the services that answered.
            "backups": (services["auth"] or {}).get("backups"),
            "services": services,
        }

    async def _examine(self) -> Report:
        whole = combine(await self._ask_all("/health", {}))
        metrics.report_health(whole["services"].items())
        return whole

    async def _ask_all(
        self, path: str, headers: Mapping[bytes, bytes], latencies: dict[str, float] | None = None
    ) -> Reports:
        asked = (self._ask(name, path, headers, latencies) for name in SERVICES)
        return dict(zip(SERVICES, await asyncio.gather(*asked), strict=True))

    async def _ask(
        self,
        service: str,
        path: str,
        headers: Mapping[bytes, bytes],
        latencies: dict[str, float] | None,
    ) -> Report | None:
        began = time.perf_counter()
        try:
            response = await self._client.get(
                self._addresses[service] + path, headers=headers, timeout=TIMEOUT_S
            )
            report = response.json()
        except (httpx.HTTPError, ValueError, RecursionError):
            return None
        if latencies is not None:
            latencies[service] = round(time.perf_counter() - began, 6)
        return report if isinstance(report, dict) else None


def combine(reports: Reports) -> Report:
    """Return one report of many.

    The whole is down without one of the essential services, degraded without another or with one
    that is not wholly well.
    """
    statuses = {
        service: "down" if report is None else str(report.get("status", "down"))
        for service, report in reports.items()
    }
    if any(statuses.get(service, "down") == "down" for service in ESSENTIAL):
        status = "down"
    else:
        status = "ok" if set(statuses.values()) == {"ok"} else "degraded"
    forecasting = reports.get("forecasting") or {}
    given = [report for report in reports.values() if report is not None]
    return {
        "status": status,
        "database": _worst(report.get("database") for report in given),
        "cache": _worst(report.get("cache") for report in given),
        "ai": forecasting.get("ai", "ready" if statuses.get("forecasting") == "ok" else "away"),
        "backup": (reports.get("auth") or {}).get("backup", "unknown"),
        "version": VERSION,
        "services": statuses,
        "standing_still": {
            service: report["standing_still"]
            for service, report in reports.items()
            if report is not None and report.get("standing_still")
        },
    }


def _worst(states: Iterable[str | None]) -> str:
    """Return "connected" if all who know say so, else what the first other one says."""
    known = [state for state in states if state is not None]
    return next((state for state in known if state != CONNECTED), CONNECTED) if known else "unknown"
