import asyncio
import socket
from collections.abc import AsyncIterator
from functools import partial

import httpx
import pytest

from gateway.server import Server
from tests.support.gateway import ORIGIN, Auth, House, Service, gateway_settings, make_token
from tests.support.waiting import PATIENCE_S, eventually


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """What speaks to the running gateway waits on sockets, so it stays out of the fast tests."""
    for item in items:
        if "running_house" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
async def running_house() -> AsyncIterator[House]:
    services = {"auth": Auth(), "inventory": Service(), "reporting": Service()}
    for service in services.values():
        service.reset()
        await service.start()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    addresses = {f"{n}_url": f"http://127.0.0.1:{s.port}" for n, s in services.items()}
    settings = gateway_settings(
        forecasting_url="http://127.0.0.1:9",  # Nobody is there.
        allowed_origins=ORIGIN,
        gateway_upstream_connections_max=8,
        max_content_length=16_777_216,
        **addresses,
    )
    server = Server(settings)
    gateway = server.gateway
    for name, service in services.items():
        service.is_kept = partial(bool, gateway._services[name].instances[0].idle)
    serving = asyncio.create_task(server.serve([listener]))
    address = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_S) as client:

        async def is_ready() -> bool:
            return (await client.get("/health/ready")).is_success

        await eventually(is_ready)
        yield House(
            port=port, client=client, gateway=gateway, health=gateway._pages._health,
            connections=server.clients.all, **services,
        )  # fmt: skip
    server.stop()
    await serving
    for service in services.values():
        await service.stop()


@pytest.fixture
async def house(running_house: House) -> AsyncIterator[House]:
    running_house.token = make_token()
    for one in running_house.gateway._services.values():
        one.forget_failures()
    yield running_house
    for service in (running_house.auth, running_house.inventory, running_house.reporting):
        if service.script is not None:
            await service.hang_up()  # Lest a pooled connection go on with it.
        service.reset()
