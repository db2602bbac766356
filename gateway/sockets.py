"""WebSockets (RFC 6455): the handshake is checked here, after it bytes pass as they are.

A browser cannot set headers for a WebSocket, so its token may come as a subprotocol: `bearer` and
the token after it. It is not passed on as such. A socket ends with its token, its session, or when
nothing has passed for a while; it does not use the connections of ordinary requests.
"""

import asyncio
import base64
import hashlib
import re
import time
from collections.abc import Callable
from typing import Final

from gateway.call import Call
from gateway.connection import Connection
from gateway.errors import BadGateway, MalformedRequest, Overloaded, ServiceTooSlow, SocketVersion
from gateway.headers import RequestHead, answer_headers
from gateway.pool import Service
from gateway.protocol import FrontDoor
from gateway.routes import Route
from gateway.shares import Holder, Shares
from gateway.wire import STATUS_LINES, Headers, as_block
from shared.security.claims import UserClaims

SOCKETS_MAX: Final = 4096
USER_SHARE: Final = 0.01
TENANT_SHARE: Final = 0.25
IDLE_MAX_S: Final = 300.0  # Services and clients ping more often.

_BEARER: Final = b"bearer"
_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{22}==")
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_SWITCHING: Final = 101
_PASSED_BACK: Final = frozenset({b"sec-websocket-accept", b"sec-websocket-extensions"})


def is_websocket(call: Call) -> bool:
    """Say whether a request asks to become a WebSocket."""
    fields = dict(call.fields)
    return call.wants_upgrade and fields.get(b"upgrade", b"").lower() == b"websocket"


def take_token(head: RequestHead, fields: Headers) -> None:
    """Take the token out of the subprotocols, if no Authorization header came.

    What the head passes on names the other subprotocols only.
    """
    offered = _protocols(fields)
    if _BEARER not in offered:
        return
    place = offered.index(_BEARER)
    if b"authorization" not in head.read and place + 1 < len(offered):
        head.read[b"authorization"] = b"Bearer " + offered[place + 1]
        head.passing += (b"authorization", b": ", head.read[b"authorization"], b"\r\n")
    del offered[place : place + 2]
    parts = zip(*[iter(head.passing)] * 4, strict=True)
    kept = [part for part in parts if part[0] != b"sec-websocket-protocol"]
    head.passing[:] = [word for part in kept for word in part]
    if offered:
        head.passing += (b"sec-websocket-protocol", b": ", b", ".join(offered), b"\r\n")


class Sockets:
    """All WebSockets of this process."""

    def __init__(self, is_revoked: Callable[[UserClaims], bool]) -> None:
        self.open: set[Socket] = set()
        self._is_revoked = is_revoked
        self._shares = Shares(SOCKETS_MAX, user=USER_SHARE, tenant=TENANT_SHARE)

    async def connect(
        self, call: Call, route: Route, service: Service, claims: UserClaims | None
    ) -> None:
        """Make a call a WebSocket, or pass the service's refusal back. Raises Problem."""
        fields = dict(call.fields)
        if fields.get(b"sec-websocket-version") != b"13":
            raise SocketVersion
        key = fields.get(b"sec-websocket-key", b"")
        if call.method != "GET" or not _KEY.fullmatch(key) or not isinstance(call.line, FrontDoor):
            raise MalformedRequest
        if not self._shares.take(call.holder):
            raise Overloaded(service=service.name)
        socket = Socket(call.line, claims, call.holder)
        try:
            async with asyncio.timeout(route.timeout_s):
                connection = await service.connect_apart()
                socket.connection = connection
                connection.begin(socket, head_only=False, switches=True)
                connection.write(_request(call, connection.instance.authority))
                await socket.answered.wait()
        except TimeoutError:
            raise ServiceTooSlow(service=service.name) from None
        finally:
            if not socket.answered.is_set() or call.is_over:
                self._give_up(socket)
        if call.is_over:
            return
        if connection.is_raw and _is_right(connection.headers, key, _protocols(call.fields)):
            self.open.add(socket)
            socket.on_end = self._end
            call.switch(_answer(connection.headers, call), socket)
            socket.begin()
            return
        status, body = connection.status, connection.take()
        headers = answer_headers(connection.headers, has_body=True, is_cacheable=False)
        self._give_up(socket)
        if connection.is_raw or not connection.complete:
            raise BadGateway(service=service.name)
        call.begin(status, headers, close=True)
        call.write(body, more=False)

    def sweep(self, now: float) -> None:
        """End what is idle, and what its user may no longer have."""
        for socket in [*self.open]:
            claims = socket.claims
            is_ended = claims is not None and (
                claims.exp <= time.time() or self._is_revoked(claims)
            )
            if is_ended or now - socket.moved_at > IDLE_MAX_S:
                socket.end()

    def _give_up(self, socket: "Socket") -> None:
        if socket.connection is not None:
            socket.connection.reader = None
            socket.connection.close()
        if socket.holder is not None:
            self._shares.give_back(socket.holder)
            socket.holder = None

    def _end(self, socket: "Socket") -> None:
        self.open.discard(socket)
        self._give_up(socket)


class Socket:
    """One WebSocket: what comes from one side goes to the other, at its pace."""

    def __init__(self, door: FrontDoor, claims: UserClaims | None, holder: Holder) -> None:
        self.claims = claims
        self.holder: Holder | None = holder
        self.connection: Connection | None = None
        self.answered = asyncio.Event()
        self.moved_at = 0.0
        self.on_end: Callable[[Socket], None] = lambda _: None
        self._door = door
        self._early: list[bytes] = []
        self._is_open = False

    def begin(self) -> None:
        """Pass on what came before the client was told."""
        self._is_open = True
        self.moved_at = self._door.loop.time()
        for part in self._early:
            self._door.write(part)

    def end(self) -> None:
        """Close both sides, once what was written to the client has left."""
        self._is_open = False
        self.on_end(self)
        self._door.close_after_writing()

    # The service's side

    def on_progress(self) -> None:
        connection = self.connection
        if connection is not None and (connection.is_raw or connection.complete):
            self.answered.set()

    def on_lost(self) -> None:
        self.answered.set()
        if self._is_open:
            self.end()

    def on_garbage(self) -> None:
        self.on_lost()

    def on_raw(self, data: bytes) -> None:
        if self._is_open:
            self.moved_at = self._door.loop.time()
            self._door.write(data)
        else:
            self._early.append(data)

    def on_full(self) -> None:
        self._door.pause_reading()

    def on_drained(self) -> None:
        self._door.want_body()

    # The client's side

    def on_client_data(self, data: bytes) -> None:
        self.moved_at = self._door.loop.time()
        if self.connection is not None:
            self.connection.write(data)

    def on_client_full(self) -> None:
        if self.connection is not None:
            self.connection.pause_reading()

    def on_client_drained(self) -> None:
        if self.connection is not None:
            self.connection.resume_reading()

    def on_client_lost(self) -> None:
        self._is_open = False
        self.on_end(self)


def _protocols(fields: Headers) -> list[bytes]:
    """Return the subprotocols that a client offers."""
    lines = [value for name, value in fields if name == b"sec-websocket-protocol"]
    return [word.strip() for line in lines for word in line.split(b",")]


def _request(call: Call, authority: bytes) -> bytes:
    return b"".join(
        (
            b"GET ", call.target, b" HTTP/1.1\r\nhost: ", authority,
            b"\r\nconnection: Upgrade\r\nupgrade: websocket\r\n", *call.head.passing,
            b"x-request-id: ", call.request_id, b"\r\ntraceparent: ", call.traceparent,
            b"\r\nx-forwarded-for: ", call.client, b"\r\n\r\n",
        )
    )  # fmt: skip


def _is_right(headers: Headers, key: bytes, offered: list[bytes]) -> bool:
    """Say whether a service's 101 is the answer to this handshake."""
    fields = dict(headers)
    digest = hashlib.sha1(key + _GUID, usedforsecurity=False).digest()
    chosen = fields.get(b"sec-websocket-protocol")
    return (
        fields.get(b"upgrade", b"").lower() == b"websocket"
        and fields.get(b"sec-websocket-accept") == base64.b64encode(digest)
        and (chosen is None or chosen in offered)
    )


def _answer(headers: Headers, call: Call) -> bytes:
    fields = dict(headers)
    passed: Headers = [(b"upgrade", b"websocket"), (b"connection", b"Upgrade")]
    passed += [(name, value) for name, value in headers if name in _PASSED_BACK]
    chosen = fields.get(b"sec-websocket-protocol")
    if chosen is None and _BEARER in _protocols(call.fields):
        chosen = _BEARER  # A browser ends a socket of which no subprotocol was chosen.
    if chosen is not None:
        passed.append((b"sec-websocket-protocol", chosen))
    passed.append((b"x-request-id", call.request_id))
    return b"%b%b\r\n" % (STATUS_LINES[_SWITCHING], as_block(passed))
