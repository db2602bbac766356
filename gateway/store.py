"""One connection to Redis for one script, over which many calls are under way at once.

redis-py spends 60 µs on a call; here the calls of one turn of the loop are one write, and so are
their replies one reading. The script answers in one line, so that lines are all there is to read.
Whatever does not answer soon is given up: callers go on without.
"""

import asyncio
import hashlib
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, cast
from urllib.parse import parse_qs, unquote, urlsplit

import structlog
from pydantic import SecretStr

from gateway import metrics

TIMEOUT_S: Final = 0.25  # When a call has no reply for so long, Redis is away.
CONNECT_TIMEOUT_S: Final = 1.0
RETRY_S: Final = 0.5
_SWEEP_S: Final = 0.05
_LINE_MAX: Final = 4096
_CALL: Final = b"*%d\r\n$7\r\nEVALSHA\r\n$40\r\n%b\r\n$%d\r\n%d\r\n"

log = structlog.get_logger()


# Who hears of a reply: its line, or None if there will be none.
Tell: TypeAlias = Callable[[bytes | None], None]


class Store:
    """Keeps the connection, and makes it anew when it is lost."""

    def __init__(self, url: SecretStr, script: str, secured: ssl.SSLContext | None = None) -> None:
        """Take a redis://, rediss:// or unix:// address, and what checks its certificate."""
        self._url = url
        self._secured = secured
        self._hello = _greeting(url, script)
        self._sha = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest().encode()
        self._line: _Line | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        """Say whether calls go to Redis."""
        return self._line is not None and not self._line.lost.is_set()

    async def start(self) -> None:
        """Connect, once; from then on the connection is made anew whenever it is lost."""
        lost = await self._connect()
        metrics.rates_shared.set(lost is not None)
        self._keeper = asyncio.create_task(self._keep(lost))

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if self._line is not None:
            self._line.abort()

    def command(self, keys: Sequence[bytes], arguments: Sequence[bytes]) -> bytes:
        """Return what runs the script; `arguments` are two for each key, already encoded."""
        count = len(keys)
        head = _CALL % (3 + 3 * count, self._sha, len(b"%d" % count), count)
        return b"".join((head, encode(*keys), *arguments))

    def call(self, command: bytes, tell: Tell) -> None:
        """Run the script and tell its one line, or None if Redis does not answer."""
        if self._line is None:
            tell(None)
        else:
            self._line.send(command, tell)

    async def _keep(self, lost: asyncio.Event | None) -> None:
        while True:
            if lost is not None:
                await lost.wait()
                self._line = None
                metrics.rates_shared.set(0)
                log.warning("redis lost; rates are counted here")
            await asyncio.sleep(RETRY_S)
            lost = await self._connect()
            metrics.rates_shared.set(lost is not None)
            if lost is not None:
                log.info("redis found; rates are counted there")

    async def _connect(self) -> asyncio.Event | None:
        """Return what tells of the connection's end; None if there is none."""
        loop = asyncio.get_running_loop()
        line = _Line(loop)
        parts = urlsplit(self._url.get_secret_value())
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                if parts.scheme == "unix":
                    await loop.create_unix_connection(lambda: line, parts.path)
                else:
                    host, port = parts.hostname or "127.0.0.1", parts.port or 6379
                    await loop.create_connection(lambda: line, host, port, ssl=self._secured)
                for command in self._hello:
                    await line.ask(command)
        except OSError as error:
            line.abort()
            log.debug("redis not reached", reason=repr(error))
            return None
        self._line = line
        return line.lost


class _Line(asyncio.Protocol):
    """A connection: commands out, one line back for each, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.lost = asyncio.Event()
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[tuple[float, Tell]] = deque()  # Since when, and who.
        self._unsent: list[bytes] = []
        self._rest = b""

    def send(self, command: bytes, tell: Tell) -> None:
        """Tell the reply to a command; None if there is none, or an error of Redis."""
        if self._transport is None:
            tell(None)
            return
        self._waiting.append((self._loop.time(), tell))
        if not self._unsent:  # What one turn of the loop brings leaves in one write: waking Redis
            self._loop.call_soon(self._flush)  # costs more than all else.
        self._unsent.append(command)

    async def ask(self, command: bytes) -> None:
        """Wait for the reply to a command. Raises ConnectionError if there is none."""
        replied: asyncio.Future[bytes | None] = self._loop.create_future()
        self.send(command, lambda line: None if replied.done() else replied.set_result(line))
        if await replied is None:
            raise ConnectionError("no reply")

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by form only.
        self._sweep()

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        for line in lines:
            if not self._waiting or not line.startswith(b"+"):
                log.warning("redis refused", reason=line[:200].decode("latin-1"))
                self.abort()
                return
            _, tell = self._waiting.popleft()
            tell(line[1:])
        if len(self._rest) > _LINE_MAX:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's.
        self._transport = None
        self.lost.set()
        waiting, self._waiting = self._waiting, deque()
        for _, tell in waiting:
            tell(None)

    def _sweep(self) -> None:
        """End a connection that no longer answers."""
        if self._transport is None:
            return
        if self._waiting and self._loop.time() - self._waiting[0][0] > TIMEOUT_S:
            self.abort()
        self._loop.call_later(_SWEEP_S, self._sweep)


def encode(*words: bytes) -> bytes:
    """Return words as Redis' protocol has them within a command."""
    return b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words])


def _greeting(url: SecretStr, script: str) -> list[bytes]:
    """Return what is said first: who we are, which database, and the script, that it be known."""
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("REDIS_URL is no redis://, rediss:// or unix:// address")
    said = []
    if parts.password:
        name = [unquote(parts.username)] if parts.username else []
        said.append(_encode("AUTH", *name, unquote(parts.password)))
    number = parse_qs(parts.query).get("db", [""])[0]
    if not number and parts.scheme != "unix":
        number = parts.path.strip("/")
    if number:
        said.append(_encode("SELECT", number))
    return [*said, _encode("EVAL", script, "0")]


def _encode(*words: str) -> bytes:
    return b"*%d\r\n%b" % (len(words), encode(*map(str.encode, words)))
