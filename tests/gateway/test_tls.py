"""The gateway's own HTTPS, and TLS of both sides between it and the services: as a real process."""

import asyncio
import os
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from shared.tls import TlsFiles, client_context, server_context
from tests.support.certificates import Certificates, Shown
from tests.support.gateway import Auth, Service, make_token
from tests.support.ports import reserved_port
from tests.support.through_gateway import GATEWAY_KEY, SCRAPER
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow]


def files(certificates: Certificates, shown: Shown | None) -> TlsFiles:
    own = (shown.certificate, shown.key) if shown else (None, None)
    return TlsFiles("test", ("CA", "CERT"), certificates.authority, *own)


@dataclass
class House:
    """A gateway that speaks HTTPS, an auth and an inventory that take it as their one client."""

    port: int
    certificates: Certificates
    inventory: Service
    secured: ssl.SSLContext  # What clients of the gateway check it with.

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"


@asynccontextmanager
async def running(certificates: Certificates, inventory_shows: Shown) -> AsyncIterator[House]:
    auth = Auth(secured=server_context(files(certificates, certificates.good("auth"))))
    auth.reset()
    inventory = Service(secured=server_context(files(certificates, inventory_shows)))
    await auth.start()
    await inventory.start()
    inside, outside = certificates.good("gateway"), certificates.good("outside")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with reserved_port() as port:
        own = {
            "GATEWAY_CLIENT_SECRET": "s", "GATEWAY_KEY": GATEWAY_KEY, "METRICS_TOKEN": "66" * 32,
            "REDIS_URL": "redis://127.0.0.1:9", "GATEWAY_PORT": str(port), "LOG_LEVEL": "ERROR",
            "AUTH_URL": f"https://localhost:{auth.port}",
            "INVENTORY_URL": f"https://localhost:{inventory.port}",
            "SERVICE_TLS_CA_CERT": str(certificates.authority),
            "SERVICE_TLS_CERT": str(inside.certificate), "SERVICE_TLS_KEY": str(inside.key),
            "GATEWAY_TLS_CERT": str(outside.certificate), "GATEWAY_TLS_KEY": str(outside.key),
        }  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", env=kept | own
        )
        house = House(port, certificates, inventory, client_context(files(certificates, None)))
        try:
            await eventually(lambda: is_ready(house))
            yield house
        finally:
            process.terminate()
            await process.wait()
            await auth.stop()
            await inventory.stop()


@pytest.fixture
async def house(tmp_path) -> AsyncIterator[House]:
    certificates = Certificates(tmp_path)
    async with running(certificates, certificates.good("inventory")) as made:
        yield made


async def is_ready(house: House) -> bool:
    async with httpx.AsyncClient(verify=house.secured) as client:
        try:
            return (await client.get(f"{house.url}/health/ready")).is_success
        except httpx.TransportError:
            return False


async def ask(house: House) -> httpx.Response:
    async with httpx.AsyncClient(verify=house.secured) as client:
        token = {"Authorization": f"Bearer {make_token()}"}
        return await client.get(f"{house.url}/api/inventory", headers=token)


@pytest.mark.asvs("F04")
async def test_a_request_passes_by_tls_alone(house):
    answer = await ask(house)

    assert answer.status_code == 200
    [received] = house.inventory.received
    assert received.all("x-forwarded-proto") == ["https"]


@pytest.mark.asvs("F04")
async def test_nothing_is_answered_in_the_clear(house):
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.TransportError):
            await client.get(f"http://localhost:{house.port}/health/live")


async def test_a_refusal_arrives_although_the_client_still_sends(house):
    reader, writer = await asyncio.open_connection("localhost", house.port, ssl=house.secured)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nbroken header\r\n\r\n")

    received = await reader.read()

    assert received.startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_a_renewed_certificate_is_shown_and_no_connection_is_lost(house):
    async def shown_now() -> bytes:
        _, other = await asyncio.open_connection("localhost", house.port, ssl=house.secured)
        serial = other.get_extra_info("ssl_object").getpeercert()["serialNumber"]
        other.close()
        return serial

    patient = httpx.Limits(keepalive_expiry=None)  # Else the client itself closes after 5 seconds.
    async with httpx.AsyncClient(verify=house.secured, limits=patient) as client:
        await client.get(f"{house.url}/health/live")
        before = await shown_now()
        house.certificates.good("outside")

        async def is_renewed() -> bool:
            return await shown_now() != before

        await eventually(is_renewed)
        connections = [*client._transport._pool.connections]
        assert (await client.get(f"{house.url}/health/live")).is_success
        assert [*client._transport._pool.connections] == connections
        metrics = (await client.get(f"{house.url}/metrics", headers=SCRAPER)).text

    for purpose in ("gateway", "services", "services authority"):
        assert f'tls_certificate_expiry_timestamp_seconds{{purpose="{purpose}"}}' in metrics


@pytest.mark.asvs("F04")
@pytest.mark.parametrize("kind", ["of_another_authority", "expired", "for_another_host"])
async def test_a_service_that_is_not_the_right_one_gets_no_request(tmp_path, kind):
    certificates = Certificates(tmp_path)
    async with running(certificates, getattr(certificates, kind)()) as house:
        answer = await ask(house)

    assert answer.status_code == 503
    assert house.inventory.received == []
