"""What finding a route costs, by the number of routes, and what surrounds it, by metrics engine.

Apps with the same routes answer in this process, without a network: FastAPI alone, ours as
`build_app` makes it, ours whose router tries each route as FastAPI does, and ours measured by
prometheus-fastapi-instrumentator. Each is asked for its first and its last route, in turn, so
that a busy machine slows all alike. CPU of one request in microseconds, the best of many rounds.
"""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from fastapi import APIRouter, FastAPI
from pydantic import SecretStr
from starlette.types import Message, Scope

from shared.journal import AccessDenied
from shared.resources import open_resources
from shared.security.gateway_proof import HEADER, GatewayProof
from shared.settings import ServiceSettings
from shared.web import build_app, feature_router
from shared.web.lookup import RouteLookup

FEATURES_OF = (12, 24)
ROUTES_OF_A_FEATURE = 5
ROUNDS = 30
REQUESTS = 200
_ID = UUID(int=7)
_GATEWAY_KEY = SecretStr("44" * 32)


def main() -> None:
    asyncio.run(_compare())


async def _compare() -> None:
    print("\nA request, in-process, nothing but its route: CPU in µs")
    print(f"  {'routes':>6}  {'by':<42} {'first':>6} {'last':>6}  {'last/first':>10}")
    for features in FEATURES_OF:
        bare, bare_found = _bare(features), _bare(features)
        bare_found.router.middleware_stack = RouteLookup(bare_found.router)
        tried = _service(features)
        tried.router.middleware_stack = tried.router.app
        apps = {
            "FastAPI alone": bare,
            "FastAPI alone, with our look-up": bare_found,
            "a service": _service(features),
            "a service without the look-up": tried,
            "a service, METRICS_ENGINE=instrumentator": _service(features, "instrumentator"),
        }
        count = features * ROUTES_OF_A_FEATURE
        for name, (first, last) in (await _best(apps, features)).items():
            print(f"  {count:>6}  {name:<42} {first:>6.0f} {last:>6.0f}  {last / first:>10.2f}")


async def _best(apps: Mapping[str, FastAPI], features: int) -> dict[str, tuple[float, float]]:
    """Return for each app the CPU of a request for its first route and for its last."""
    found = dict.fromkeys(apps, (1e9, 1e9))
    for _ in range(ROUNDS):
        for name, app in apps.items():
            first = await _cpu_us(app, f"/api/feature-0/{_ID}/parts")
            last = await _cpu_us(app, f"/api/feature-{features - 1}/{_ID}/parts")
            found[name] = (min(found[name][0], first), min(found[name][1], last))
    return found


def _service(features: int, engine: str = "own") -> FastAPI:
    settings = ServiceSettings(
        _env_file=None,
        database_url=SecretStr("postgresql://nobody@localhost/nowhere"),
        journal_signing_key=SecretStr("11" * 32),
        gateway_key=_GATEWAY_KEY,
        metrics_token=SecretStr("66" * 32),
    ).model_copy(update={"metrics_engine": engine})
    app = build_app(
        package=Path(__file__).parent,
        title="Routes",
        description="As many as a service may have.",
        tags={},
        settings=settings,
        open_service=lambda read: open_resources("routes", read),
        denied=AccessDenied,
        routers=[
            _filled(feature_router(f"/api/feature-{number}", f"feature-{number}"), number)
            for number in range(features)
        ],
    )
    app.state.resources = open_resources("routes", settings)  # Nothing of it is used.
    return app


def _bare(features: int) -> FastAPI:
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
    for number in range(features):
        app.include_router(_filled(APIRouter(prefix=f"/api/feature-{number}"), number))
    return app


def _filled(router: APIRouter, number: int) -> APIRouter:
    """Return the router with routes of the usual shape; the last is the one that is asked for."""

    async def answer() -> dict[str, str]:
        return {"status": "ok"}

    async def answer_one(row_id: UUID) -> dict[str, str]:
        return {"id": str(row_id)}

    router.add_api_route("", answer, name=f"list_{number}")
    router.add_api_route("", answer, methods=["POST"], name=f"add_{number}")
    router.add_api_route("/{row_id:uuid}", answer_one, name=f"get_{number}")
    router.add_api_route("/{row_id:uuid}", answer_one, methods=["PATCH"], name=f"change_{number}")
    router.add_api_route("/{row_id:uuid}/parts", answer_one, name=f"list_parts_{number}")
    return router


async def _cpu_us(app: FastAPI, path: str) -> float:
    proof = GatewayProof(_GATEWAY_KEY).make(b"127.0.0.1", b"", b"GET", path.encode())
    started = time.process_time()
    for _ in range(REQUESTS):
        await app(_scope(path, proof), _receive, _send)
    return (time.process_time() - started) / REQUESTS * 1e6


def _scope(path: str, proof: bytes) -> Scope:
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "headers": [(HEADER, proof)], "state": {}, "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }  # fmt: skip


async def _receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: Message) -> None:
    if message["type"] == "http.response.start" and message["status"] != 200:  # noqa: PLR2004 - HTTP's own number.
        raise RuntimeError(f"a benchmark of answers with {message['status']}")


if __name__ == "__main__":
    main()
