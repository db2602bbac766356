"""Rates as a client meets them: headers, refusals, and whose allowance is used up."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from uuid import uuid4

import httpx
import pytest

from gateway.app import Gateway
from gateway.errors import RateLimited
from tests.support.gateway import Auth, gateway_settings, make_token
from tests.support.gateway_calls import GatewayTransport
from tests.support.ports import reserved_ports
from tests.support.services import assert_problem
from tests.support.through_gateway import GATEWAY_KEY, METRICS_TOKEN
from tests.support.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.asvs("E11")
LOGIN = "/api/auth/login"
From = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def auth() -> AsyncIterator[Auth]:
    auth = Auth()
    auth.reset()
    await auth.start()
    yield auth
    await auth.stop()


@pytest.fixture
async def gateway(auth: Auth, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[From]:
    """Gives clients of a gateway without Redis, each from an address of its own; time stands."""
    monkeypatch.setattr("gateway.limiter.time", lambda: 1_000_000.0)
    apps = []

    async def started(**settings) -> From:
        changes = {"rate_limit_scale": 1} | settings
        app = Gateway(gateway_settings(auth_url=f"http://127.0.0.1:{auth.port}", **changes))
        await app.start()
        await eventually(lambda: app._revocations.loaded and app._keys.loaded)
        apps.append(app)
        return partial(client_from, app)

    yield started
    for app in apps:
        await app.stop()


def client_from(app: Gateway, address: str) -> httpx.AsyncClient:
    transport = GatewayTransport(app, address)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")


def bearer(**claims) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(**claims)}"}


async def test_signing_in_is_told_of_its_rate_and_refused_above_it(gateway):
    one = (await gateway())("192.0.2.1")

    first = await one.post(LOGIN, json={})
    for _ in range(29):
        await one.post(LOGIN, json={})
    refused = await one.post(LOGIN, json={}, headers={"Accept-Language": "fr"})

    assert first.status_code == 200
    assert first.headers["ratelimit-policy"] == '"sign-in";q=30;w=60'
    assert first.headers["ratelimit"] == '"sign-in";r=29;t=2'
    assert_problem(refused, RateLimited, rate="sign-in", retry_after_s=2)
    assert refused.headers["retry-after"] == "2"
    assert refused.headers["ratelimit"] == '"sign-in";r=0;t=2'
    assert refused.json()["title"] == "Trop de demandes"


async def test_the_allowance_is_the_addresss_whatever_it_says_of_itself(gateway):
    from_address = await gateway(rate_limit_scale=0.1)
    one, other = from_address("192.0.2.1"), from_address("192.0.2.2")
    for number in range(3):
        told = {"X-Forwarded-For": f"1.2.3.{number}", "Forwarded": f"for=1.2.3.{number}"}
        assert (await one.post(LOGIN, json={}, headers=told)).status_code == 200

    assert (await one.post(LOGIN, headers={"X-Forwarded-For": "9.9.9.9"})).status_code == 429
    assert (await other.post(LOGIN, json={})).status_code == 200


async def test_behind_a_trusted_proxy_each_client_has_its_own(gateway):
    from_address = await gateway(rate_limit_scale=0.1, trusted_proxies="192.0.2.0/24")
    proxy = from_address("192.0.2.1")

    async def statuses(client: str) -> list[int]:
        told = {"X-Forwarded-For": f"6.6.6.6, {client}"}
        return [(await proxy.post(LOGIN, headers=told)).status_code for _ in range(4)]

    assert await statuses("203.0.113.1") == [200, 200, 200, 429]
    assert await statuses("203.0.113.2") == [200, 200, 200, 429]


async def test_a_network_of_64_bits_is_one_client(gateway):
    from_address = await gateway(rate_limit_scale=0.1)
    answers = [
        await from_address(f"2001:db8:0:1::{number}").post(LOGIN, json={}) for number in range(4)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert (await from_address("2001:db8:0:2::1").post(LOGIN, json={})).status_code == 200


async def test_a_user_has_an_allowance_for_each_kind_wherever_he_is(gateway):
    from_address = await gateway(rate_limit_default="2/hour")
    one, other = from_address("192.0.2.1"), from_address("192.0.2.2")
    me, somebody = bearer(), bearer()

    changes = [
        await client.patch("/api/auth/me", json={}, headers=me) for client in (one, other, one)
    ]

    assert [change.status_code for change in changes] == [200, 200, 429]
    assert changes[0].headers["ratelimit-policy"] == '"default";q=2;w=3600'
    assert (await one.get("/api/auth/me", headers=me)).status_code == 200
    assert (await one.patch("/api/auth/me", headers=somebody)).status_code == 200


async def test_a_tenants_users_share_what_the_platforms_administrator_gave_it(gateway, auth):
    tenant = uuid4()
    auth.tenant_rates[str(tenant)] = 3
    client = (await gateway())("192.0.2.1")

    answers = [await client.get("/api/auth/me", headers=bearer(tid=tenant)) for _ in range(4)]
    other = await client.get("/api/auth/me", headers=bearer())

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"tenant";q=3;w=60'
    assert answers[3].json()["rate"] == "tenant"
    assert other.status_code == 200


@pytest.mark.parametrize("path", ["/api/inventory", "/docs", "/api/nothing", "/openapi.json"])
async def test_who_is_not_let_in_has_a_rate_as_well(gateway, path):
    """Guessed tokens, documents, and what does not exist."""
    client = (await gateway(rate_limit_scale=0.005))("192.0.2.1")
    headers = {"Authorization": "Bearer guessed"}

    statuses = [(await client.get(path, headers=headers)).status_code for _ in range(4)]

    assert statuses[3] == 429
    assert 429 not in statuses[:3]
    assert (await client.get("/health/live")).status_code == 200


@asynccontextmanager
async def running(port: int, auth: Auth, valkey_url: str) -> AsyncIterator[httpx.AsyncClient]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway",
        env={
            "GATEWAY_CLIENT_SECRET": "s", "GATEWAY_KEY": GATEWAY_KEY, "GATEWAY_PORT": str(port),
            "METRICS_TOKEN": METRICS_TOKEN,
            "AUTH_URL": f"http://127.0.0.1:{auth.port}", "REDIS_URL": valkey_url,
        },
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_S) as client:

        async def is_ready() -> bool:
            try:
                return (await client.get("/health/ready")).is_success
            except httpx.TransportError:
                return False

        await eventually(is_ready)
        yield client
    process.terminate()
    await process.wait()


@pytest.mark.stack
@pytest.mark.slow
async def test_two_gateways_let_in_as_many_as_the_formula_says(auth, valkey_url):
    """Thirty at once and one every two seconds, give or take one, whichever of them is asked."""
    async with AsyncExitStack() as stack:
        ports = stack.enter_context(reserved_ports(2))
        clients = [await stack.enter_async_context(running(p, auth, valkey_url)) for p in ports]
        began = time.monotonic()
        let_in = 0
        while time.monotonic() - began < 6:
            answers = await asyncio.gather(*(client.post(LOGIN, json={}) for client in clients * 5))
            let_in += sum(answer.status_code == 200 for answer in answers)
            assert {answer.status_code for answer in answers} <= {200, 429}
        expected = 30 + (time.monotonic() - began) // 2

    assert expected - 1 <= let_in <= expected + 1
