from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.attack.attempts import Attempts
from tests.attack.documents import Document
from tests.attack.world import ORIGIN, Client, World, client_from, fill, made_world
from tests.support.passkey import ORIGIN as PASSKEY_ORIGIN
from tests.support.stack import Stack, running_stack


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """All of it speaks to the running system."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.stack)
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def attempts(record_property: Callable[[str, object], None]) -> Iterator[Attempts]:
    made = Attempts()
    yield made
    made.record(record_property)


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole system, as `make up` starts it."""
    folder = Path(tmp_path_factory.mktemp("attacked"))
    allowed = {"ALLOWED_ORIGINS": ORIGIN, "WEBAUTHN_ORIGINS": PASSKEY_ORIGIN}
    with running_stack(folder, **allowed) as started:
        yield started


@pytest.fixture(scope="package")
def hosts() -> Iterator[str]:
    """Addresses of loopback, each a client of its own to whatever counts attempts by address."""
    return (f"127.0.{n // 250 + 7}.{n % 250 + 2}" for n in count())


@pytest.fixture
async def client(stack: Stack, hosts: Iterator[str]) -> AsyncIterator[Client]:
    """A client from an address that nobody had before."""
    async with client_from(stack.url, next(hosts)) as opened:
        yield opened


@pytest.fixture(scope="package")
async def lasting_world(stack: Stack) -> AsyncIterator[World]:
    async with client_from(stack.url, "127.0.0.1") as opened:
        yield await made_world(stack, opened)


@pytest.fixture
async def world(lasting_world: World) -> World:
    """The people of the attack; who administers has proved himself lately."""
    await lasting_world.stay_proved()
    return lasting_world


@pytest.fixture
async def filled(world: World) -> World:
    """The same, with one of everything that can be named in the attacked tenant."""
    if not world.victim.things:
        await fill(world.client, world.victim)
    return world


@pytest.fixture(scope="package")
async def document(stack: Stack) -> Document:
    """What the gateway says there is."""
    async with httpx.AsyncClient(base_url=stack.url) as opened:
        return Document((await opened.get("/openapi.json")).json())
