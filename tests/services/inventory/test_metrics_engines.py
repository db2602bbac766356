"""Both engines of HTTP metrics say the same of the same requests, series by series."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from prometheus_client import REGISTRY

from services.inventory.app import create_app
from tests.support.services import Caller, running
from tests.support.through_gateway import prove

pytestmark = pytest.mark.stack

NAMES = (
    "http_requests_total", "http_request_duration_seconds", "http_request_size_bytes",
    "http_response_size_bytes", "http_requests_in_progress",
)  # fmt: skip
# Times differ, and with them the buckets they fall into.
TIMED = ("http_request_duration_seconds_bucket", "http_request_duration_seconds_sum")
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def measured() -> Series:
    """Every HTTP series of this process as it stands."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name.startswith(NAMES)
        and not sample.name.endswith("_created")
        and sample.name not in TIMED
    }


async def grown(run: Callable[[], Awaitable[None]]) -> Series:
    """How the series changed while it ran."""
    before = measured()
    await run()
    after = measured()
    changes = {key: value - before.get(key, 0) for key, value in after.items()}
    return {key: change for key, change in changes.items() if change}


async def leave_early(app: FastAPI, caller: Caller) -> None:
    """Be a client that goes away while the service waits for the rest of its body."""
    waiting = asyncio.Event()

    async def receive():
        waiting.set()
        await asyncio.Event().wait()

    async def send(_message):
        raise AssertionError("nobody is there to be answered")

    signed = caller.headers(**{"Content-Type": "application/json"})
    asks = httpx.Request("POST", "http://service/api/locations", headers=signed)
    prove(asks)
    headers = [(name.lower(), value) for name, value in asks.headers.raw]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "scheme": "http", "path": "/api/locations", "raw_path": b"/api/locations",
        "query_string": b"", "root_path": "", "headers": headers, "server": ("service", 80),
    }  # fmt: skip
    request = asyncio.create_task(app(scope, receive, send))
    asked = asyncio.create_task(waiting.wait())
    await asyncio.wait({request, asked}, return_when=asyncio.FIRST_COMPLETED)
    assert asked.done(), request.exception()
    request.cancel()
    with suppress(asyncio.CancelledError):
        await request


async def requests(app: FastAPI, client: httpx.AsyncClient) -> None:
    """One of each kind, by a tenant of its own: no answer depends on what was before."""
    caller = Caller()
    signed = caller.headers()
    location = {"name": "Main", "type": "warehouse"}
    added = await client.post("/api/locations", json=location, headers=signed)
    place = f"/api/locations/{added.json()['id']}"
    tag = {"If-None-Match": (await client.get(place, headers=signed)).headers["etag"]}
    statuses = [
        (await client.post("/api/locations", json=location, headers=signed)).status_code,
        (await client.get(place, headers=signed | tag)).status_code,
        (await client.get("/api/inventory?limit=5", headers=signed)).status_code,
        (await client.get("/api/inventory?limit=0", headers=signed)).status_code,
        (await client.get("/api/inventory")).status_code,
        (await client.get("/api/nowhere/at/all", headers=signed)).status_code,
        (await client.put("/api/locations", headers=signed)).status_code,
        (await client.delete(place, headers=signed)).status_code,
        (await client.get("/health/live")).status_code,
    ]
    await leave_early(app, caller)
    assert statuses == [409, 304, 200, 422, 401, 404, 405, 204, 200]


@pytest.fixture
def changes(inventory_settings):
    async def of(engine: str) -> Series:
        app = create_app(inventory_settings.model_copy(update={"metrics_engine": engine}))
        async with running(app) as client:
            return await grown(lambda: requests(app, client))

    return of


async def test_both_engines_say_the_same_of_the_same_requests(changes):
    own = await changes("own")
    package = await changes("instrumentator")

    assert package == own
    told = {dict(labels)["status_code"] for name, labels in own if name == "http_requests_total"}
    assert told == {"200", "201", "204", "304", "401", "404", "405", "409", "422", "499"}
    assert {dict(labels)["route"] for _, labels in own} >= {"unmatched", "/api/locations"}


@pytest.mark.parametrize("engine", ["own", "instrumentator"])
async def test_requests_in_progress_are_counted_by_either(inventory_settings, engine):
    app = create_app(inventory_settings.model_copy(update={"metrics_engine": engine}))
    seen = []

    @app.get("/look", include_in_schema=False)
    async def look() -> None:
        seen.append(REGISTRY.get_sample_value("http_requests_in_progress", {"method": "GET"}))

    async with running(app) as client:
        await client.get("/look")

    assert seen == [1]


async def test_the_package_does_not_see_the_size_of_an_answer_sent_in_pieces(inventory_settings):
    """The one difference: it goes by Content-Length, and such an answer has none."""
    sizes = {}
    for engine in ("own", "instrumentator"):
        app = create_app(inventory_settings.model_copy(update={"metrics_engine": engine}))

        @app.get("/pieces", include_in_schema=False)
        async def send_pieces() -> StreamingResponse:
            return StreamingResponse(iter([b"1234", b"5678"]))

        async with running(app) as client:
            changed = await grown(lambda client=client: client.get("/pieces"))
        labels = frozenset({("method", "GET"), ("route", "/pieces")})
        sizes[engine] = changed.get(("http_response_size_bytes_sum", labels), 0)

    assert sizes == {"own": 8, "instrumentator": 0}
