"""A service with certificates, as a real process: its authority's clients, and nobody else."""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator

import httpx
import pytest

from shared.tls import TlsFiles, client_context
from tests.support.certificates import Certificates
from tests.support.ports import reserved_port
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.asvs("F04")]


@pytest.fixture
def certificates(tmp_path) -> Certificates:
    return Certificates(tmp_path)


@pytest.fixture
async def port(certificates) -> AsyncIterator[int]:
    """The service without a database: to be asked whether it lives."""
    shown = certificates.good("reporting")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with reserved_port() as port:
        names = ("JOURNAL_SIGNING_KEY", "GATEWAY_KEY", "METRICS_TOKEN", "REPORTING_CLIENT_SECRET")
        own = {
            **{name: secrets.token_hex(32) for name in names},
            "DATABASE_URL": "postgresql:///stock?host=/nowhere",
            "REDIS_URL": "redis://127.0.0.1:9", "REPORTING_PORT": str(port),
            "LOG_LEVEL": "ERROR", "PRICE_ENCRYPTION_KEY": secrets.token_hex(32),
            "SERVICE_TLS_CA_CERT": str(certificates.authority),
            "SERVICE_TLS_CERT": str(shown.certificate), "SERVICE_TLS_KEY": str(shown.key),
        }  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.reporting", "serve",
            env=kept | own,
        )  # fmt: skip
        try:
            yield port
        finally:
            process.kill()
            await process.wait()


async def is_answered(certificates: Certificates, port: int, kind: str) -> bool:
    if kind == "plain":
        url, secured = f"http://localhost:{port}", True
    else:
        shown = getattr(certificates, kind)("client") if kind != "none" else None
        own = (shown.certificate, shown.key) if shown else (None, None)
        files = TlsFiles("test", ("CA", "CERT"), certificates.authority, *own)
        url, secured = f"https://localhost:{port}", client_context(files)
    async with httpx.AsyncClient(verify=secured) as client:
        try:
            return (await client.get(f"{url}/health/live")).status_code == 200
        except httpx.TransportError:
            return False


async def test_a_service_answers_those_of_its_authority_alone(certificates, port):
    await eventually(lambda: is_answered(certificates, port, "good"))

    for kind in ("none", "of_another_authority", "expired", "plain"):
        assert not await is_answered(certificates, port, kind), kind
