import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from services.inventory.app import create_app
from services.inventory.followers import followers
from services.inventory.resources import InventoryResources
from services.inventory.settings import Settings
from services.inventory.webhook_sender import WebhookSender
from shared.clock import utc_now
from shared.db import Stamp
from shared.journal.follow import apply_page
from tests.support.receiver import Receiver, running_receiver
from tests.support.services import Caller, running, service_headers
from tests.support.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def webhooks_app(inventory_settings: Settings) -> FastAPI:
    """Inventory where webhooks may lead to this machine."""
    return create_app(inventory_settings.model_copy(update={"webhook_private_addresses": True}))


@pytest.fixture(scope="module")
async def client(webhooks_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with running(webhooks_app) as started:
        yield started


@pytest.fixture
def resources(client: httpx.AsyncClient, webhooks_app: FastAPI) -> InventoryResources:
    return webhooks_app.state.resources


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as started:
        yield started


@dataclass
class Hooks:
    """What the caller does with webhooks, all of which must succeed."""

    client: httpx.AsyncClient
    caller: Caller
    receiver: Receiver

    async def add(self, path: str = "/hook", **more: Any) -> dict[str, Any]:
        url = path if "//" in path else self.receiver.url + path
        return await self.do("POST", None, "", {"url": url, **more})

    async def do(
        self,
        method: str,
        webhook: Mapping[str, Any] | None,
        path: str = "",
        body: Mapping[str, Any] | None = None,
        **query: str,
    ) -> Any:
        at = "/api/webhooks" + (f"/{webhook['id']}" if webhook else "") + path
        options: dict[str, Any] = {"json": body} if body is not None else {}
        response = await self.client.request(
            method, at, params=query, headers=self.caller.headers(), **options
        )
        assert response.is_success, response.text
        return response.json()

    async def ping(self, webhook: Mapping[str, Any]) -> str:
        """Put a message in line; return its id."""
        return (await self.do("POST", webhook, "/ping"))["event_id"]

    async def deliveries(self, webhook: Mapping[str, Any], **query: str) -> list[Any]:
        return (await self.do("GET", webhook, "/deliveries", **query))["items"]


@pytest.fixture
def hooks(client: httpx.AsyncClient, caller: Caller, receiver: Receiver) -> Hooks:
    return Hooks(client, caller, receiver)


@pytest.fixture
def collect(
    resources: InventoryResources, client: httpx.AsyncClient, superuser: asyncpg.Connection
) -> Callable[[], Awaitable[None]]:
    """Follow inventory's journal up to its end."""

    class Services:
        async def get_json(self, _service: str, path: str, params: Mapping[str, Any]) -> Any:
            headers = service_headers("inventory")
            response = await client.get(path, params=params, headers=headers)
            response.raise_for_status()
            return response.json()

    [follower] = [f for f in followers(resources.own) if f.producer == "inventory"]

    async def until_current() -> None:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await apply_page(follower, resources.database, Services())  # type: ignore[arg-type]  # all that it asks of a client.
                if await superuser.fetchval(_IS_CURRENT):
                    return

    return until_current


@dataclass
class Clock:
    """The time, which a test moves on."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead

    def move_to(self, moment: str) -> None:
        self.ahead = datetime.fromisoformat(moment) - utc_now()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sender(resources: InventoryResources, clock: Clock) -> WebhookSender:
    def open_for(tenant_id: UUID | None) -> AbstractAsyncContextManager[AsyncSession]:
        return resources.database.transaction(Stamp(tenant_id, "worker"))

    return WebhookSender(open_for, resources.own.outgoing, resources.own.secrets, clock)


@pytest.fixture
async def send(
    sender: WebhookSender, superuser: asyncpg.Connection, caller: Caller
) -> Callable[[], Awaitable[None]]:
    """Send what is due, to the end; of other tests nothing is left."""
    await superuser.execute(
        "DELETE FROM inventory.webhooks WHERE tenant_id <> $1", caller.tenant_id
    )

    async def once() -> None:
        async with asyncio.TaskGroup() as lanes:
            await sender.begin(lanes)

    return once


_IS_CURRENT = """
    SELECT NOT EXISTS (
        SELECT FROM inventory.journal j, inventory.follower_cursors c
        WHERE c.producer = 'inventory' AND (j.xid, j.seq) > (c.xid::text::xid8, c.seq))"""
