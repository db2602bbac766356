"""Building a service's web app: one call, and it behaves like every other."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from fastapi import APIRouter, FastAPI

from shared.i18n import load_catalogues
from shared.identifiers import IdNeeded
from shared.journal import AccessDenied
from shared.resources import OwnT, Resources, probing
from shared.security.gateway_proof import GatewayProof
from shared.settings import ServiceSettings
from shared.version import VERSION
from shared.web import feed, health
from shared.web.denials import Denials
from shared.web.documentation import describe
from shared.web.lookup import RouteLookup
from shared.web.middleware import RequestLayer
from shared.web.problems import add_problem_handlers
from shared.web.route import DirectRoute, ServiceRoute

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def build_app(  # noqa: PLR0913 - by name only, once in each service.
    *,
    package: Path,
    title: str,
    description: str,
    tags: Mapping[str, str],
    settings: SettingsT | None,
    open_service: Callable[[SettingsT], Resources[OwnT]],
    denied: type[AccessDenied],
    routers: Sequence[APIRouter],
    dry_runs: bool = False,
    ids: Mapping[str, type[IdNeeded]] = MappingProxyType({}),
    on_start: Sequence[Callable[[Resources[OwnT]], Awaitable[None]]] = (),
    on_stop: Sequence[Callable[[Resources[OwnT]], Awaitable[None]]] = (),
) -> FastAPI:
    """Return the app of the service that lies in `package`.

    It has the routers given, the journal's feed, health, status, metrics and its OpenAPI document
    with `tags` in their order; problems, languages, request ids and deadlines are handled.
    `open_service` is called when the app starts; without settings it can only describe itself.
    `dry_runs`: every change can be tried. `ids`: what is told, by parameter, where none stands.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if settings is None:
            raise RuntimeError("an app without settings can only describe itself")
        opened = open_service(settings)
        app.state.resources = opened
        for task in on_start:
            await task(opened)
        async with probing(opened):
            yield
        for task in on_stop:
            await task(opened)
        await opened.close()

    load_catalogues([package / "locales"])
    app = FastAPI(
        title=title,
        version=VERSION,
        description=description,
        openapi_tags=[{"name": name, "description": text} for name, text in tags.items()],
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.migrations, app.state.dry_runs = package / "migrations", dry_runs
    app.state.denials = Denials(denied)
    app.router.route_class = ServiceRoute
    for router in (*routers, feed.router, health.router):
        app.include_router(router)
    app.router.middleware_stack = RouteLookup(app.router, ids)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # FastAPI's documented way.
    is_ours = settings is None or settings.metrics_engine == "own"
    _give_edge(app, _direct_routes(routers), _proof_of(settings), measures=is_ours)
    return app if is_ours else _instrumented(app)


def _instrumented(app: FastAPI) -> FastAPI:
    from shared.web.engine import instrument  # noqa: PLC0415 - only who chose it loads it.

    instrument(app)
    return app


def worker_app(package: Path, resources: Resources[Any]) -> FastAPI:
    """Return the app of a worker's metrics port: health, status and metrics, nothing else.

    Its edge is that of a service. The resources are the worker's own, who opens and closes them.
    """
    load_catalogues([package / "locales"])
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.state.resources = resources
    app.state.migrations = package / "migrations"
    app.include_router(health.router)
    _give_edge(app, {}, _proof_of(resources.settings), measures=True)
    return app


def _proof_of(settings: ServiceSettings | None) -> GatewayProof | None:
    if settings is None:  # It describes itself alone.
        return None
    return GatewayProof(settings.gateway_key, settings.gateway_key_previous)


def _give_edge(
    app: FastAPI,
    direct: Mapping[tuple[str, str], DirectRoute],
    proof: GatewayProof | None,
    *,
    measures: bool,
) -> None:
    """Let every request end as a service's does: with an id, in time, and in problems."""
    add_problem_handlers(app)
    app.add_middleware(RequestLayer, direct=direct, proof=proof, measures=measures)


def _direct_routes(routers: Sequence[APIRouter]) -> dict[tuple[str, str], DirectRoute]:
    routes = (route for router in routers for route in router.routes)
    direct = (route for route in routes if isinstance(route, DirectRoute))
    return {(method, route.path): route for route in direct for method in route.methods or ()}


def feature_router(
    prefix: str, tag: str, *, route_class: type[ServiceRoute] = ServiceRoute
) -> APIRouter:
    """Return the router of a feature; a route may name a `max_body_size` of its own, in bytes."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=route_class)
