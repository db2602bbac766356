import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from tests.support.database import Databases
from tests.support.services import Caller

PATH = "/api/inventory/reservations"
Post = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def post(client: httpx.AsyncClient, caller: Caller) -> Post:
    """Post a body to a path below reservations."""

    async def send(
        path: str = "", body: Any = None, by: Caller | None = None, **headers: str
    ) -> httpx.Response:
        sent = (by or caller).headers(**headers)
        return await client.post(f"{PATH}{path}", json=body or {}, headers=sent)

    return send


@pytest.fixture
def reserve(post: Post) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Reserve so many of A1 at Main and return the reservation."""

    async def send(quantity: Any = "4", **more: Any) -> dict[str, Any]:
        lines = [{"item": "A1", "location": "Main", "quantity": quantity}]
        made = await post("", {"lines": lines} | more)
        assert made.status_code == 201, made.text
        return made.json()

    return send


@pytest.fixture
def look_up(client: httpx.AsyncClient, caller: Caller) -> Callable[..., Awaitable[dict[str, Any]]]:
    async def get(code: str = "A1") -> dict[str, Any]:
        found = await client.get(f"/api/inventory/lookup/{code}", headers=caller.headers())
        return found.json()

    return get


@pytest.fixture
async def let_expire(
    databases: Databases, caller: Caller
) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """Let the time of a reservation be over."""
    connection, turn = await asyncpg.connect(databases.superuser_dsn), asyncio.Lock()

    async def move_back(reservation_id: str) -> None:
        async with turn:
            await set_back(reservation_id)

    async def set_back(reservation_id: str) -> None:
        for statement in (
            "UPDATE inventory.reservations SET expires_at = now() WHERE id = $1",
            "UPDATE inventory.reservation_holds SET expires_at = now() WHERE reservation_id = $1",
            """UPDATE inventory.levels v SET holds_until = least(v.holds_until, h.expires_at)
               FROM inventory.reservation_holds h WHERE h.reservation_id = $1
                   AND (v.tenant_id, v.item_id, v.location_id, v.lot_id)
                     = (h.tenant_id, h.item_id, h.location_id, h.lot_id)""",
        ):
            await connection.execute(statement, reservation_id)

    yield move_back
    await connection.close()
