"""Mail by a real SMTP server, and into a folder."""

import email
import ssl
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import aiosmtplib
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.auth.mail.rules import Mail, message_of
from services.auth.mailer import mailer
from services.auth.settings import Settings
from shared.clock import utc_now
from tests.support.ports import reserved_ports

pytestmark = pytest.mark.slow

MAIL = Mail("ada@example.com", "Vérifiez votre adresse", "Voici un code :\n\not_x\n", "fr")


class Kept:
    """A mail server's memory."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802 - aiosmtpd's.
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.messages.append(parsed)
        return "250 OK"


def settings(**values: object) -> Settings:
    found = SimpleNamespace(**{"smtp_url": None, "mail_folder": Path()} | values)
    return cast("Settings", found)


def at(url: str) -> Settings:
    return settings(smtp_url=SimpleNamespace(get_secret_value=lambda: url))


def message() -> EmailMessage:
    return message_of(MAIL, "Stock <no-reply@shop.example>", utc_now())


@pytest.fixture
def serve():
    """Start mail servers; they end with the test."""
    running: list[Controller] = []

    def start(**options: object) -> tuple[Kept, int]:
        kept = Kept()
        with reserved_ports() as ports:
            port = next(iter(ports))
        server = Controller(kept, hostname="127.0.0.1", port=port, **options)
        server.start()
        running.append(server)
        return kept, port

    yield start
    for server in running:
        server.stop()


async def test_a_mail_reaches_a_server_with_all_its_letters(serve: Callable[..., tuple[Kept, int]]):
    kept, port = serve()

    await mailer(at(f"smtp://127.0.0.1:{port}"))(message())

    [came] = kept.messages
    assert (came["To"], came["Subject"]) == (MAIL.to, MAIL.subject)
    assert came.get_content().splitlines() == MAIL.text.splitlines()


async def test_a_password_is_not_sent_in_the_clear(serve: Callable[..., tuple[Kept, int]]):
    asked: list[LoginPassword] = []

    def check(_server, _session, _envelope, _mechanism, data) -> AuthResult:
        asked.append(data)
        return AuthResult(success=True)

    kept, port = serve(authenticator=check, auth_require_tls=False)

    with pytest.raises(aiosmtplib.SMTPException):
        await mailer(at(f"smtp://user:secret@127.0.0.1:{port}"))(message())

    assert (asked, kept.messages) == ([], [])


async def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(
    serve: Callable[..., tuple[Kept, int]], self_signed: ssl.SSLContext
):
    kept, port = serve(tls_context=self_signed, require_starttls=True)

    with pytest.raises((ssl.SSLError, aiosmtplib.SMTPException)):
        await mailer(at(f"smtp://user:secret@127.0.0.1:{port}"))(message())

    assert kept.messages == []


async def test_a_server_that_is_away_is_an_error():
    with reserved_ports() as ports:
        port = next(iter(ports))

    with pytest.raises(aiosmtplib.SMTPException):
        await mailer(at(f"smtp://127.0.0.1:{port}"))(message())


async def test_without_a_server_mails_lie_in_a_folder_of_their_own(tmp_path: Path):
    folder = tmp_path / "mail"

    await mailer(settings(mail_folder=folder))(message())

    [path] = folder.iterdir()
    assert path.suffix == ".eml"
    assert (path.stat().st_mode | folder.stat().st_mode) & 0o077 == 0
    came = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert came["Subject"] == MAIL.subject


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory) -> ssl.SSLContext:
    """A server's side of TLS with a certificate of its own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context
