import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.node import install_project
from tests.support.stack import Stack, running_stack
from tests.support.waiting import PATIENCE_S, answered


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole system with fsync on, as `make up` starts it."""
    settings = {"WEBHOOK_PRIVATE_ADDRESSES": "true"}  # Receivers are on this machine.
    with running_stack(Path(tmp_path_factory.mktemp("stack")), **settings) as started:
        yield started


@pytest.fixture(scope="package")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The project of `tests/clients` with its packages, in a folder of its own."""
    folder = install_project(tmp_path_factory.mktemp("node") / "project")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=64)
    async with httpx.AsyncClient(base_url=stack.url, timeout=PATIENCE_S, limits=limits) as opened:
        yield opened


@pytest.fixture
async def tenant(stack: Stack, client: httpx.AsyncClient) -> dict[str, str]:
    """The headers of the administrator of a tenant with one item A1 at one place, Main."""
    headers = await stack.new_tenant(client)
    place = {"name": "Main", "type": "warehouse"}
    item = {"code": "A1", "name": "Item", "unit_cost": "2", "reorder_point": "5"}
    for path, body in (("/api/locations", place), ("/api/inventory/add-item", item)):
        made = await _post(client, path, body, headers)
        assert made.status_code == 201, made.text
    return headers


@pytest.fixture
def move(client: httpx.AsyncClient, tenant: dict[str, str]) -> Callable[..., Awaitable[Any]]:
    async def post(kind: str, quantity: object, key: str | None = None) -> httpx.Response:
        body = {"kind": kind, "item": "A1", "location": "Main", "quantity": quantity}
        headers = tenant | ({"Idempotency-Key": key} if key else {})
        return await client.post("/api/inventory/movements", json=body, headers=headers)

    return post


async def _post(
    client: httpx.AsyncClient, path: str, body: dict[str, str], headers: dict[str, str]
) -> httpx.Response:
    """Post as a good client does: again, while a service is away that a test has killed."""
    keyed = headers | {"Idempotency-Key": str(uuid4())}
    return await answered(lambda: client.post(path, json=body, headers=keyed))
