"""What finding a route costs, by the number of routes: our look-up beside FastAPI's own trying.

Two apps with the same routes answer in this process, without a network: one as `build_app` makes
it, one whose router tries each. Each is asked for its first and its last route, in turn, so that a
busy machine slows all alike. CPU of one request in microseconds, the best of many rounds.
"""

import asyncio
import time
from pathlib import Path
from uuid import UUID

from fastapi import APIRouter, FastAPI
from pydantic import SecretStr
from starlette.types import Message, Scope

from shared.resources import open_resources
from shared.settings import ServiceSettings
from shared.web import build_app, feature_router

FEATURES_OF = (12, 24)
ROUTES_OF_A_FEATURE = 5
ROUNDS = 30
REQUESTS = 200
_ID = UUID(int=7)


def main() -> None:
    asyncio.run(_compare())


async def _compare() -> None:
    print("\nFinding a route: CPU of a request in µs, in-process, nothing but the route")
    print(f"  {'routes':>6}  {'found by':<22} {'first':>6} {'last':>6}  {'last/first':>10}")
    for features in FEATURES_OF:
        apps = {"our look-up": _app(features), "FastAPI, trying each": _app(features)}
        tried = apps["FastAPI, trying each"].router
        tried.middleware_stack = tried.app
        best = dict.fromkeys(((name, which) for name in apps for which in ("first", "last")), 1e9)
        for _ in range(ROUNDS):
            for name, which in best:
                number = 0 if which == "first" else features - 1
                spent = await _cpu_us(apps[name], f"/api/feature-{number}/{_ID}/parts")
                best[name, which] = min(best[name, which], spent)
        for name in apps:
            first, last = best[name, "first"], best[name, "last"]
            count = features * ROUTES_OF_A_FEATURE
            print(f"  {count:>6}  {name:<22} {first:>6.0f} {last:>6.0f}  {last / first:>10.2f}")


def _app(features: int) -> FastAPI:
    settings = ServiceSettings(
        _env_file=None,
        database_url=SecretStr("postgresql://nobody@localhost/nowhere"),
        journal_signing_key=SecretStr("11" * 32),
    )
    app = build_app(
        package=Path(__file__).parent,
        title="Routes",
        description="As many as a service may have.",
        resources=lambda: open_resources("routes", settings),
        routers=[_feature(number) for number in range(features)],
    )
    app.state.resources = open_resources("routes", settings)  # Nothing of it is used.
    return app


def _feature(number: int) -> APIRouter:
    """Return a router of the usual shape; the last of its routes is the one that is asked for."""
    router = feature_router(f"/api/feature-{number}", f"feature-{number}")

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
    started = time.process_time()
    for _ in range(REQUESTS):
        await app(_scope(path), _receive, _send)
    return (time.process_time() - started) / REQUESTS * 1e6


def _scope(path: str) -> Scope:
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "headers": [], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip


async def _receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: Message) -> None:
    if message["type"] == "http.response.start" and message["status"] != 200:  # noqa: PLR2004 - HTTP's own number.
        raise RuntimeError(f"a benchmark of answers with {message['status']}")


if __name__ == "__main__":
    main()
