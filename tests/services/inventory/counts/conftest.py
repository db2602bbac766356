from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.support.services import Caller

PATH = "/api/inventory/counts"
Send = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def send(client: httpx.AsyncClient, caller: Caller) -> Send:
    """Send a request to a path below counts."""

    async def request(
        method: str, path: str = "", body: Any = None, by: Caller | None = None, **headers: str
    ) -> httpx.Response:
        sent = (by or caller).headers(**{name.replace("_", "-"): v for name, v in headers.items()})
        return await client.request(method, f"{PATH}{path}", json=body, headers=sent)

    return request


@pytest.fixture
def open_count(send: Send) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Open a count of Main and return it."""

    async def open_one(by: Caller | None = None, **more: Any) -> dict[str, Any]:
        made = await send("POST", "", {"locations": ["Main"]} | more, by)
        assert made.status_code == 201, made.text
        return made.json()

    return open_one


@pytest.fixture
def enter(send: Send) -> Send:
    """Say that so many of an item lie at Main; several at once by `lines`."""

    async def put(
        count: dict[str, Any],
        quantity: Any = "0",
        item: str = "A1",
        by: Caller | None = None,
        lines: Any = None,
        **more: Any,
    ) -> httpx.Response:
        line = {"item": item, "location": "Main", "quantity": quantity} | more
        return await send("PUT", f"/{count['id']}/lines", {"lines": lines or [line]}, by)

    return put


@pytest.fixture
def lines_of(client: httpx.AsyncClient, caller: Caller) -> Callable[..., Awaitable[Any]]:
    """List the lines of a count."""

    async def get(count: dict[str, Any], by: Caller | None = None, **query: Any) -> Any:
        found = await client.get(
            f"{PATH}/{count['id']}/lines", params=query, headers=(by or caller).headers()
        )
        return found.json()["items"] if found.is_success else found

    return get


@pytest.fixture
def on_hand(client: httpx.AsyncClient, caller: Caller) -> Callable[..., Awaitable[str]]:
    async def get(code: str = "A1") -> str:
        found = await client.get(f"/api/inventory/lookup/{code}", headers=caller.headers())
        return str(found.json()["on_hand"])

    return get


@pytest.fixture
def clerk(caller: Caller) -> Caller:
    """Somebody who counts, and may not post."""
    return Caller(caller.tenant_id, scopes={"inventory:read", "stock:write"}, role="clerk")


@pytest.fixture
async def stock(make_location: Any, make_item: Any, move: Any) -> None:
    """Ten of A1 and five of B1 at Main; two of A1 in a bin of it; one at Shop."""
    await make_location("Main")
    await make_location("Bin", "bin", parent="Main")
    await make_location("Shop")
    await make_item("A1", unit_cost="2.5", category="Tea")
    await make_item("B1", category="Coffee")
    for item, location, quantity in (
        ("A1", "Main", 10), ("B1", "Main", 5), ("A1", "Bin", 2), ("A1", "Shop", 1),
    ):  # fmt: skip
        assert (await move("receipt", quantity, item, location)).status_code == 201
