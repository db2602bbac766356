"""Bytes to a port of loopback, and what comes back until the other side closes."""

import asyncio
from dataclasses import dataclass

from tests.support.waiting import PATIENCE_S

SHOWN = 160


@dataclass(frozen=True)
class Heard:
    """All that came back; whether the other side closed the connection, as it should."""

    data: bytes
    is_closed: bool

    @property
    def statuses(self) -> list[int]:
        """The status of each answer."""
        return [int(part[:3]) for part in self.data.split(b"HTTP/1.1 ")[1:]]

    def told(self, sent: bytes) -> str:
        return f"{sent[:SHOWN]!r} -> {self.data[:SHOWN]!r} closed: {self.is_closed}"


async def speak(port: str | int, *parts: bytes) -> Heard:
    """Send bytes and listen until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    received = b""
    is_closed = True
    try:
        async with asyncio.timeout(PATIENCE_S):
            for part in parts:
                writer.write(part)
                await writer.drain()
            while more := await reader.read(65_536):
                received += more
    except TimeoutError:
        is_closed = False
    except ConnectionError:
        pass
    writer.close()
    return Heard(received, is_closed)


def request(line: str, *headers: str, token: str = "", host: str = "gateway") -> bytes:
    """Return the head of a request."""
    own = [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([line, f"Host: {host}", *own, *headers, "", ""]).encode("latin-1")
