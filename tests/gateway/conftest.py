import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.__main__ import make_server
from gateway.settings import Settings
from tests.support.gateway import ORIGIN, Auth, House, Service, make_token


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
    settings = Settings(
        _env_file=None,
        gateway_client_secret="gateway-secret",
        forecasting_url="http://127.0.0.1:9",  # Nobody is there.
        allowed_origins=ORIGIN,
        gateway_upstream_connections_max=8,
        max_content_length=16_777_216,
        **addresses,
    )
    server = make_server(settings)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        while (await client.get("/health/ready")).is_error:  # noqa: ASYNC110  Over the wire, as in operation.
            await asyncio.sleep(0.02)
        yield House(port=port, client=client, **services)
    server.should_exit = True
    await serving
    for service in services.values():
        await service.stop()


@pytest.fixture
async def house(running_house: House) -> AsyncIterator[House]:
    running_house.token = make_token()
    yield running_house
    for service in (running_house.auth, running_house.inventory, running_house.reporting):
        if service.script is not None:
            await service.hang_up()  # Lest a pooled connection go on with it.
        service.reset()
