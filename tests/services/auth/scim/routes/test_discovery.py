"""What the service says of itself, and what somebody else's program says of the service."""

import asyncio
import time
from collections import Counter
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from scim2_client.client import BaseSyncSCIMClient
from scim2_tester import Status, check_server

from benchmarks.bodies import worst_bodies
from tests.services.auth.scim.directory import GROUPS, SCIM, USERS, Directory, assert_refused

pytestmark = pytest.mark.stack

BASE = "/api/scim/v2"
CPU_MAX_S = 1.0
# Where we are not as that program would have it, and why.
DIFFERENT = (
    "search_with_attributes: This address does not answer",  # Queries come by GET; POST is a MAY.
    "check_remove_attribute: PATCH modify() did not remove attribute 'active'",  # It is or is not.
)


async def test_it_says_what_it_does(directory: Directory):
    config = (await directory.send("GET", f"{BASE}/ServiceProviderConfig")).json()
    types = (await directory.send("GET", f"{BASE}/ResourceTypes")).json()
    schemas = (await directory.send("GET", f"{BASE}/Schemas")).json()

    assert config["patch"] == config["etag"] == {"supported": True}
    assert config["bulk"]["supported"] is config["sort"]["supported"] is False
    assert [one["endpoint"] for one in types["Resources"]] == ["/Users", "/Groups"]
    for one in (*types["Resources"], *schemas["Resources"]):
        assert (await directory.send("GET", one["meta"]["location"])).json() == one


async def test_what_is_not_there_is_refused_in_scims_form(directory: Directory):
    for method, path, status in (
        ("GET", f"{BASE}/Printers", 404),
        ("GET", f"{BASE}/Schemas/none", 404),
        ("GET", f"{BASE}/ResourceTypes/none", 404),
        ("POST", f"{BASE}/Schemas", 405),
        ("GET", f"{USERS}?sortBy=userName", 400),
        ("GET", f"{GROUPS}?startIndex=x", 400),
    ):
        answer = await directory.send(method, path)
        assert_refused(answer, status, "invalidValue" if status == 400 else None)


class Bridge(httpx.BaseTransport):
    """Lets a program that waits for its answers speak to the app of the test."""

    def __init__(self, client: httpx.AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._loop = loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {k: v for k, v in request.headers.items() if k not in {"host", "content-length"}}
        sent = self._client.request(
            request.method, request.url.raw_path.decode(), content=request.read(), headers=headers
        )
        answer = asyncio.run_coroutine_threadsafe(sent, self._loop).result()
        kept = {k: v for k, v in answer.headers.items() if k != "content-encoding"}
        return httpx.Response(answer.status_code, headers=kept, content=answer.content)


class Waiting(BaseSyncSCIMClient):
    """That program's own client, over the bridge."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__()
        self._http = client

    def _stays_under_base_url(self, endpoint: str) -> bool:  # noqa: ARG002 - the other side calls it so.
        return True

    def _parse_json(self, response: httpx.Response) -> Any:
        return response.json()

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        return self._http.request(method, url, **options)


async def test_an_independent_program_finds_what_the_rfc_asks_for(directory: Directory):
    """scim2-tester reads what the service says of itself, and tries it."""
    with httpx.Client(
        base_url=f"http://service{BASE}",
        headers={"Authorization": f"Bearer {directory.token}"},
        transport=Bridge(directory.client, asyncio.get_running_loop()),
    ) as client:
        found = await asyncio.to_thread(check_server, Waiting(client), resource_types=["User"])

    told = Counter(result.status for result in found)
    wrong = {
        f"{result.title}: {result.reason}"
        for result in found
        if result.status in {Status.DEVIATION, Status.ERROR, Status.CRITICAL}
    }
    assert {one for one in wrong if not one.startswith(DIFFERENT)} == set()
    assert told[Status.SUCCESS] > 30


async def test_the_worst_bodies_are_refused_in_little_time_and_words(
    app: FastAPI, directory: Directory
):
    headers = {"Authorization": f"Bearer {directory.token}", "Content-Type": SCIM}
    wrong = []

    for method, path, kind, body in worst_bodies(app.openapi()):
        if not path.startswith(BASE):
            continue
        started = time.process_time()
        answer = await directory.client.request(method, path, content=body, headers=headers)
        cpu_s = time.process_time() - started
        if answer.status_code not in {400, 404, 413} or len(answer.content) > 16_384:
            wrong.append((method, path, kind, answer.status_code, len(answer.content)))
        if cpu_s > CPU_MAX_S:
            wrong.append((method, path, kind, cpu_s))

    assert wrong == []
