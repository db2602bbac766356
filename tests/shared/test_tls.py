"""Contexts that check everything, and certificates that are read again while they are in use."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from cryptography import x509

from shared import tls
from shared.tls import (
    TlsFiles,
    TlsRefused,
    certificate_expiry,
    client_context,
    refresh_certificates,
    server_context,
)
from tests.support.certificates import Certificates, Shown


@pytest.fixture
def certificates(tmp_path) -> Certificates:
    return Certificates(tmp_path)


def files(certificates: Certificates, shown: Shown | None, purpose: str = "test") -> TlsFiles:
    own = (shown.certificate, shown.key) if shown else (None, None)
    return TlsFiles(purpose, ("X_CA_CERT", "X_CERT with X_KEY"), certificates.authority, *own)


@asynccontextmanager
async def echoing(secured: ssl.SSLContext) -> AsyncIterator[int]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0, ssl=secured) as server:
        yield server.sockets[0].getsockname()[1]


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int, secured: ssl.SSLContext) -> "Client":
        made = cls(*await asyncio.open_connection("localhost", port, ssl=secured))
        await made.ask()
        return made

    async def ask(self) -> None:
        """Say a word and hear it; with TLS 1.3 a client learns only then that it is refused."""
        self.writer.write(b"word\n")
        if await self.reader.readline() != b"word\n":
            raise ConnectionError("refused")

    def serial(self) -> int:
        shown = self.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(shown).serial_number


def serial_of(shown: Shown) -> int:
    return x509.load_pem_x509_certificate(shown.certificate.read_bytes()).serial_number


async def test_a_renewed_certificate_is_shown_and_no_connection_is_lost(certificates):
    server = server_context(files(certificates, certificates.good("server")))
    client = client_context(files(certificates, certificates.good("client")))
    async with echoing(server) as port:
        before = await Client.open(port, client)
        was = before.serial()
        renewed = certificates.good("server")

        refresh_certificates()

        after = await Client.open(port, client)
        await before.ask()
        assert after.serial() == serial_of(renewed) != was
        before.writer.close()
        after.writer.close()


async def test_half_of_a_renewal_is_not_shown(certificates):
    server = server_context(files(certificates, certificates.good("server")))
    client = client_context(files(certificates, certificates.good("client")))
    async with echoing(server) as port:
        was = (await Client.open(port, client)).serial()
        whole = certificates.good("server").certificate.read_text()
        certificates.good("server").certificate.write_text(whole)  # Beside another's key.

        refresh_certificates()

        assert (await Client.open(port, client)).serial() == was


@pytest.mark.parametrize("kind", ["of_another_authority", "expired", "none"])
async def test_a_server_takes_clients_of_its_authority_alone(certificates, kind):
    server = server_context(files(certificates, certificates.good("server")))
    shown = None if kind == "none" else getattr(certificates, kind)("client")
    async with echoing(server) as port:
        with pytest.raises(OSError):  # noqa: PT011 - reset, or told why: as the loop sees it first.
            await Client.open(port, client_context(files(certificates, shown)))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("of_another_authority", "unable to get local issuer|self-signed|signature"),
        ("expired", "certificate has expired"),
        ("for_another_host", "Hostname mismatch"),
    ],
)
async def test_a_client_believes_no_server_but_the_right_one(certificates, kind, reason):
    server = server_context(files(certificates, getattr(certificates, kind)()))
    async with echoing(server) as port:
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            await Client.open(port, client_context(files(certificates, certificates.good())))


def test_when_certificates_end_is_told(certificates):
    shown = certificates.good("server")
    kept = server_context(files(certificates, shown, "told"))
    ends = x509.load_pem_x509_certificate(shown.certificate.read_bytes()).not_valid_after_utc

    assert certificate_expiry.labels("told")._value.get() == ends.timestamp()
    assert certificate_expiry.labels("told authority")._value.get() > ends.timestamp()

    renewed = certificates.good("server")
    refresh_certificates()

    ends = x509.load_pem_x509_certificate(renewed.certificate.read_bytes()).not_valid_after_utc
    assert certificate_expiry.labels("told")._value.get() == ends.timestamp()
    assert kept


def test_what_is_no_certificate_is_refused_by_its_variable(certificates):
    shown = certificates.good("server")
    shown.key.write_text("no key")

    with pytest.raises(TlsRefused, match=r"^X_CERT with X_KEY: the file cannot be used"):
        server_context(files(certificates, shown))

    with pytest.raises(TlsRefused, match=r"^X_CA_CERT: .*: No such file"):
        client_context(TlsFiles("test", ("X_CA_CERT", ""), certificates.folder / "absent"))


def test_old_versions_of_tls_are_not_spoken(certificates):
    for context in (
        client_context(files(certificates, None)),
        server_context(files(certificates, certificates.good())),
    ):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_context_that_is_gone_is_not_looked_after(certificates):
    made = client_context(files(certificates, None))
    count = len(tls._in_use)

    del made

    assert len(tls._in_use) == count - 1
