"""Somebody else's program that reads what the service says of itself, and tries it: scim2-tester.

A module of its own, since the program takes seconds to load.
"""

import asyncio
from typing import Any

import httpx
from scim2_client.client import BaseSyncSCIMClient
from scim2_tester import CheckResult, check_server

from tests.services.auth.scim.directory import Directory


async def findings(directory: Directory, base: str) -> list[CheckResult]:
    """Return what the program finds at the service's `base`, about people."""
    with httpx.Client(
        base_url=f"http://service{base}",
        headers={"Authorization": f"Bearer {directory.token}"},
        transport=Bridge(directory.client, asyncio.get_running_loop()),
    ) as client:
        return await asyncio.to_thread(check_server, Waiting(client), resource_types=["User"])


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
