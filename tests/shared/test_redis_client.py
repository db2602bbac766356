"""Redis over TLS, with a real server, by both of our clients: who is let in, whom we believe."""

import asyncio
from dataclasses import dataclass

import pytest
from pydantic import SecretStr
from redis.exceptions import RedisError

from gateway.limiter import SCRIPT
from gateway.store import Store
from shared.redis_client import open_redis
from shared.settings import ProcessSettings
from shared.tls import client_context
from tests.support.certificates import Certificates, Shown
from tests.support.ports import reserved_port
from tests.support.tls_servers import needs_redis, redis_with_tls
from tests.support.waiting import PATIENCE_S

pytestmark = [pytest.mark.stack, needs_redis]


@dataclass(frozen=True)
class Server:
    """The server, whose certificate is for `localhost` and nothing else."""

    port: int
    certificates: Certificates

    def settings(self, shown: Shown | None = None, **changed: object) -> ProcessSettings:
        asked: dict[str, object] = {
            "metrics_token": "66" * 32,
            "redis_url": f"redis://localhost:{self.port}/0",
            "redis_tls": True,
            "redis_ca_cert": self.certificates.authority,
        }
        if shown:
            asked |= {"redis_client_cert": shown.certificate, "redis_client_key": shown.key}
        return ProcessSettings(**{**asked, **changed})


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("redis-with-tls")
    certificates = Certificates(folder)
    shown = certificates.make("redis", hosts=("localhost",))
    with reserved_port() as port, redis_with_tls(folder, port, shown, certificates.authority):
        yield Server(port, certificates)


async def services_reach(settings: ProcessSettings) -> bool:
    redis = open_redis(settings)
    try:
        return bool(await redis.ping())
    except (RedisError, OSError):
        return False
    finally:
        await redis.aclose()


async def gateway_reaches(settings: ProcessSettings) -> bool:
    files = settings.redis_tls_files
    store = Store(settings.redis_url, SCRIPT, client_context(files) if files else None)
    try:
        await store.start()
        return store.is_up
    finally:
        await store.stop()


each_client = pytest.mark.parametrize("reach", [services_reach, gateway_reaches])


@each_client
@pytest.mark.parametrize("scheme", ["redis", "rediss"])
async def test_whoever_shows_and_sees_the_right_certificate_is_let_in(server, reach, scheme):
    settings = server.settings(
        server.certificates.good("client"),
        redis_url=f"{scheme}://localhost:{server.port}/0",
        redis_tls=scheme == "redis",
    )

    assert await reach(settings)


@each_client
@pytest.mark.parametrize("kind", ["of_another_authority", "expired"])
async def test_a_client_of_another_authority_or_time_is_refused(server, reach, kind):
    assert not await reach(server.settings(getattr(server.certificates, kind)("client")))


@each_client
async def test_a_client_without_a_certificate_or_tls_is_refused(server, reach):
    assert not await reach(server.settings())
    assert not await reach(server.settings(redis_tls=False))


@each_client
async def test_a_server_is_not_believed_that_another_authority_vouches_for(server, reach):
    good = server.certificates.good("client")
    foreign = server.certificates.foreign_authority

    assert not await reach(server.settings(good, redis_ca_cert=foreign))


@each_client
@pytest.mark.parametrize("more", ["", "?ssl_cert_reqs=none&ssl_check_hostname=false"])
async def test_a_server_is_not_believed_under_another_name(server, reach, more):
    """Whatever the address says of checking."""
    address = SecretStr(f"rediss://127.0.0.1:{server.port}/0{more}")

    assert not await reach(server.settings(server.certificates.good("c"), redis_url=address))


async def test_values_and_calls_pass(server):
    redis = open_redis(server.settings(server.certificates.good("client")))

    await redis.set("k", "v", ex=5)
    async with redis.pubsub(ignore_subscribe_messages=True) as heard:
        await heard.subscribe("channel")
        await redis.publish("channel", "word")
        async with asyncio.timeout(PATIENCE_S):
            message = await anext(aiter(heard.listen()))

    assert await redis.get("k") == "v"
    assert message["data"] == "word"
    await redis.aclose()
