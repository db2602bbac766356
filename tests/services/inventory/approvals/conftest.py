from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.support.services import Caller

PATH = "/api/inventory/approvals"
Send = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def clerk(caller: Caller) -> Caller:
    """Somebody who moves stock, and neither sees costs nor approves."""
    return Caller(caller.tenant_id, scopes={"inventory:read", "stock:write"}, role="clerk")


@pytest.fixture
def boss(caller: Caller) -> Caller:
    """Somebody else, who may approve."""
    return Caller(caller.tenant_id)


@pytest.fixture
def send(client: httpx.AsyncClient, caller: Caller) -> Send:
    async def request(
        method: str, path: str, body: Any = None, who: Caller | None = None, **headers: str
    ) -> httpx.Response:
        return await client.request(
            method, path, json=body, headers=(who or caller).headers(**headers)
        )

    return request


@pytest.fixture
def write_off(send: Send, clerk: Caller) -> Send:
    async def post(
        quantity: Any, who: Caller | None = None, *, query: str = "", key: str = "", **more: Any
    ) -> httpx.Response:
        body = {"kind": "write_off", "item": "A1", "location": "Main", "quantity": quantity,
                "reason_code": "damaged", **more}  # fmt: skip
        if body["kind"] != "write_off":
            body.pop("reason_code")
        headers = {"Idempotency-Key": key} if key else {}
        return await send("POST", f"/api/inventory/movements{query}", body, who or clerk, **headers)

    return post


@pytest.fixture
def ask(write_off: Send) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Write off what needs approval, and return the approval."""

    async def asked(quantity: Any = 150, who: Caller | None = None, **more: Any) -> dict[str, Any]:
        answer = await write_off(quantity, who, **more)
        assert answer.status_code == 202, answer.text
        return answer.json()

    return asked


@pytest.fixture
def approve(send: Send, boss: Caller) -> Send:
    async def post(approval: dict[str, Any], who: Caller | None = None) -> httpx.Response:
        return await send("POST", f"{PATH}/{approval['id']}/approve", None, who or boss)

    return post


@pytest.fixture
async def stock(make_location, make_item, move) -> None:
    """A thousand units, at 10 each: 100 of them are worth what anybody may change alone."""
    await make_location("Main")
    await make_location("Annex")
    await make_item("A1", unit_cost="10", packs=[{"unit": "case", "quantity": "12"}])
    for location in ("Main", "Annex"):
        assert (await move("receipt", 1000, location=location)).status_code == 201
