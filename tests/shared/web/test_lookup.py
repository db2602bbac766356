"""The look-up finds what FastAPI's own trying finds, and does not mind the order of routers."""

import json
from importlib import import_module
from itertools import permutations
from uuid import UUID, uuid4

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import iter_route_contexts
from hypothesis import given
from hypothesis import strategies as st

from shared.journal import AccessDenied
from shared.resources import open_resources
from shared.settings import ServiceSettings
from shared.web import build_app, feature_router
from shared.web.lookup import RouteLookup
from tests.support.through_gateway import GATEWAY_KEY, METRICS_TOKEN, client_of
from tests.support.tree import ROOT, services

ID = "0190b0a8-7c1d-7e3f-8a52-3c5f6d7e8f90"
ROUTES = [
    [("GET", "/things"), ("POST", "/things"), ("GET", "/things/low"), ("GET", "/things/low/old")],
    [("GET", "/things/{thing_id:uuid}"), ("PATCH", "/things/{thing_id:uuid}"),
     ("GET", "/things/{thing_id:uuid}/parts/{number:int}")],
    [("GET", "/things/{code}"), ("DELETE", "/things/{code}"), ("GET", "/things/{code}/parts/last"),
     ("GET", "/things/{code}/notes")],
    [("GET", "/files/{path:path}"), ("GET", "/pictures/{name}.png"), ("GET", "/")],
]  # fmt: skip
SEGMENTS = ["things", "low", "old", "parts", "last", "notes", "7", "-7", "a b", "", ID, ID.upper(),
            ID.replace("-", ""), "files", "pictures", "a.png", "é", "a\nb", "/", "//"]  # fmt: skip


def make_app(routers: list[list[tuple[str, str]]], *, lookup: bool) -> FastAPI:
    app = FastAPI(redirect_slashes=False, openapi_url=None)
    for routes in routers:
        router = APIRouter()
        for method, path in routes:
            router.add_api_route(path, told(f"{method} {path}"), methods=[method])
        app.include_router(router)
    if lookup:
        app.router.middleware_stack = RouteLookup(app.router)
    return app


def told(name: str):
    async def tell(request: Request):
        return {
            "route": name,
            "found": request.scope["route"].path,
            "parameters": {key: repr(value) for key, value in request.path_params.items()},
        }

    return tell


async def ask(app: FastAPI, method: str, path: str) -> tuple[int, bytes, bytes]:
    """Return status, Allow and body; straight, so that a path may be anything."""
    sent: list[dict] = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "headers": [], "server": ("service", 80),
    }  # fmt: skip
    await app(scope, receive, send)
    allow = dict(sent[0]["headers"]).get(b"allow", b"")
    return sent[0]["status"], allow, b"".join(message.get("body", b"") for message in sent[1:])


OURS, THEIRS = make_app(ROUTES, lookup=True), make_app(ROUTES, lookup=False)


@given(
    method=st.sampled_from(["GET", "POST", "PATCH", "DELETE", "HEAD"]),
    segments=st.lists(st.sampled_from(SEGMENTS) | st.text("ab/.", max_size=3), max_size=5),
)
async def test_what_is_found_is_what_fastapi_finds(method, segments):
    path = "/" + "/".join(segments)

    status, allow, body = await ask(OURS, method, path)
    expected_status, expected_allow, expected_body = await ask(THEIRS, method, path)

    assert (status, body) == (expected_status, expected_body)
    assert set(allow.split(b", ")) >= set(expected_allow.split(b", "))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/things/low", "GET /things/low"),
        (f"/things/{ID}", "GET /things/{thing_id:uuid}"),
        ("/things/high", "GET /things/{code}"),
        ("/things/low/notes", "GET /things/{code}/notes"),
        (f"/things/{ID}/notes", "GET /things/{code}/notes"),
        (f"/things/{ID}/parts/7", "GET /things/{thing_id:uuid}/parts/{number:int}"),
        (f"/things/{ID}/parts/last", "GET /things/{code}/parts/last"),
        ("/files/a/b", "GET /files/{path:path}"),
    ],
)
async def test_a_fixed_segment_wins_over_a_parameter_in_every_order_of_routers(path, expected):
    found = [
        await ask(make_app(list(order), lookup=True), "GET", path) for order in permutations(ROUTES)
    ]

    assert {(status, json.loads(body)["route"]) for status, _, body in found} == {(200, expected)}


async def test_a_method_that_a_path_lacks_is_told_all_it_has():
    routes = [[("GET", "/things"), ("POST", "/things")], [("PATCH", "/things")]]

    status, allow, _ = await ask(make_app(routes, lookup=True), "DELETE", "/things")

    assert (status, allow) == (405, b"GET, PATCH, POST")


async def test_parameters_come_converted():
    _, _, body = await ask(OURS, "GET", f"/things/{ID}/parts/7")

    assert json.loads(body)["parameters"] == {"thing_id": repr(UUID(ID)), "number": "7"}


async def test_a_route_of_ours_takes_a_parameter_that_its_path_has_read():
    router = feature_router("/api/things", "things")

    @router.get("/{thing_id:uuid}")
    async def get_thing(thing_id: UUID) -> dict[str, str]:
        return {"id": str(thing_id)}

    settings = ServiceSettings(
        _env_file=None,
        database_url="postgresql://nowhere",
        journal_signing_key="11" * 32,
        gateway_key=GATEWAY_KEY,
        metrics_token=METRICS_TOKEN,
    )
    app = build_app(
        package=ROOT / "shared",
        title="Things",
        description="For tests.",
        tags={},
        settings=settings,
        open_service=lambda read: open_resources("things", read),
        denied=AccessDenied,
        routers=[router],
    )
    app.state.resources = open_resources("things", settings)  # Nothing of it is used.

    async with client_of(app) as client:
        response = await client.get(f"/api/things/{ID}")

    assert (response.status_code, response.json()) == (200, {"id": ID})


def sample_of(path: str) -> str:
    """Return a path that a route of this form is for."""
    samples = {"uuid": str(uuid4()), "int": "7", "": "some-code"}
    segments = []
    for segment in path.split("/"):
        name, _, kind = segment.strip("{}").partition(":")
        segments.append(samples[kind] if segment.startswith("{") else name)
    return "/".join(segments)


@pytest.mark.slow
@pytest.mark.parametrize("service", [service.name for service in services()])
def test_each_route_of_a_service_is_found_whichever_way_its_routers_stand(service):
    app = import_module(f"services.{service}.app").create_app(None)
    wanted = [
        (method, sample_of(context.path), context.original_route)
        for context in iter_route_contexts(app.routes)
        for method in context.methods or ()
    ]

    for routers in (app.routes, app.routes[::-1]):
        app.router.routes[:] = routers
        table = RouteLookup(app.router)
        for method, path, route in wanted:
            places = [node.targets[method] for node, _ in table.reached(path)
                      if method in node.targets]  # fmt: skip
            assert places, f"{method} {path} is not found"
            assert places[0].route is route, f"{method} {path} is for another route"
