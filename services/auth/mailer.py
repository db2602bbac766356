"""How mail leaves: by SMTP, or into a folder where there is no server, as on one's own machine."""

import asyncio
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiosmtplib

from services.auth.mail.service import Send
from services.auth.settings import Settings
from shared.ids import new_id
from shared.log import log

TIMEOUT_S = 20.0


def mailer(settings: Settings) -> Send:
    """Return what sends a mail as the settings say."""
    if settings.smtp_url is not None:
        return _by_smtp(settings.smtp_url.get_secret_value())
    return _into_folder(settings.mail_folder)


def _by_smtp(url: str) -> Send:
    """Send through a server: `smtps://` encrypts at once, `smtp://` by STARTTLS where it can be.

    User and password stand in the address; they are sent encrypted alone.
    """
    parts = urlsplit(url)
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    is_encrypted = parts.scheme == "smtps"

    async def send(message: EmailMessage) -> None:
        await aiosmtplib.send(
            message,
            hostname=parts.hostname,
            port=parts.port,
            use_tls=is_encrypted,
            start_tls=True if user and not is_encrypted else None,
            username=user,
            password=password,
            timeout=TIMEOUT_S,
        )

    return send


def _into_folder(folder: Path) -> Send:
    async def send(message: EmailMessage) -> None:
        path = folder / f"{new_id()}.eml"
        await asyncio.to_thread(_write, path, bytes(message))
        log.info("mail written", path=str(path))

    return send


def _write(path: Path, text: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(text)
