"""A request's body, as it comes from the client."""

from typing import Final

from gateway.asgi import Receive
from shared.errors import ContentTooLarge

BUFFERED_MAX: Final = 65_536  # A body up to about this size is forwarded in one piece, in bytes.


class ClientGoneError(Exception):
    """The client has left; nobody waits for an answer."""


class RequestBody:
    """Reads a body part by part and counts it against its limit, however it is framed."""

    def __init__(self, receive: Receive, length_max: int) -> None:
        self.complete = False
        self.length = 0
        self._receive = receive
        self._length_max = length_max

    async def gather(self) -> bytes:
        """Return the first part: all of a small body, one buffer of a large one.

        Raises ContentTooLarge, ClientGoneError.
        """
        parts = []
        while not self.complete and self.length <= BUFFERED_MAX:
            parts.append(await self.next())
        return b"".join(parts)

    async def next(self) -> bytes:
        """Return the next part, possibly empty. Raises ContentTooLarge, ClientGoneError."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        part: bytes = message.get("body", b"")
        self.length += len(part)
        if self.length > self._length_max:
            raise ContentTooLarge(limit_bytes=self._length_max)
        self.complete = not message.get("more_body", False)
        return part

    async def wait_for_departure(self) -> None:
        """Return when the client has left. Only after the body is complete."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
