"""WebSockets through the gateway, with the `websockets` package on both sides."""

import asyncio
import socket as sockets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server as SocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Request, Response

from gateway.routes import Route, RouteTable
from gateway.server import Server
from tests.support.gateway import ORIGIN, Auth, gateway_settings, make_token
from tests.support.waiting import eventually, pause

pytestmark = [pytest.mark.asvs("E05", "E10")]
STREAM = Route(path="/api/stream", service="reporting", is_socket=True)


@dataclass
class Stream:
    """A gateway with a stream behind it that says everything back."""

    port: int
    server: Server
    auth: Auth
    seen: list[Request]

    def connect(self, token: str | None = None, **options) -> connect:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return connect(
            f"ws://127.0.0.1:{self.port}/api/stream?x=1", additional_headers=headers, **options
        )


@pytest.fixture
async def stream() -> AsyncIterator[Stream]:
    auth = Auth()
    auth.reset()
    await auth.start()
    seen: list[Request] = []

    async def say_back(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    def look(connection: ServerConnection, request: Request) -> Response | None:
        seen.append(request)
        if "refuse" in request.path:
            return connection.respond(418, "no\n")
        return None

    upstream: SocketServer = await serve(
        say_back, "127.0.0.1", 0, process_request=look, subprotocols=None, max_size=2**25
    )
    upstream_port = next(iter(upstream.sockets)).getsockname()[1]
    listener = sockets.create_server(("127.0.0.1", 0))
    settings = gateway_settings(
        auth_url=f"http://127.0.0.1:{auth.port}", allowed_origins=ORIGIN,
        reporting_url=f"http://127.0.0.1:{upstream_port}",
    )  # fmt: skip
    server = Server(settings, RouteTable([STREAM]))
    serving = asyncio.create_task(server.serve([listener]))
    gateway = server.gateway
    await eventually(lambda: gateway._keys.loaded and gateway._revocations.loaded)
    yield Stream(listener.getsockname()[1], server, auth, seen)
    server.stop()
    await serving
    upstream.close()
    await upstream.wait_closed()
    await auth.stop()


async def is_said_back(client: ClientConnection, message: str | bytes) -> bool:
    await client.send(message)
    return await client.recv() == message


async def test_messages_pass_in_both_directions(stream: Stream):
    async with stream.connect(make_token(), max_size=2**25) as client:
        assert await is_said_back(client, "hello")
        assert await is_said_back(client, bytes(8_000_000))
        await (await client.ping())

    (request,) = stream.seen
    assert request.path == "/api/stream?x=1"
    assert request.headers["X-Request-ID"]
    assert "X-Gateway-Proof" in request.headers
    await eventually(lambda: not stream.server.gateway._sockets.open)


async def test_a_browsers_token_is_a_subprotocol_that_goes_no_further(stream: Stream):
    token = make_token()

    async with stream.connect(subprotocols=["bearer", token], origin=ORIGIN) as client:
        assert client.subprotocol == "bearer"
        assert await is_said_back(client, "hello")

    (request,) = stream.seen
    assert request.headers["Authorization"] == f"Bearer {token}"
    assert "Sec-WebSocket-Protocol" not in request.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{ORIGIN}.evil.example"])
async def test_another_sites_page_opens_nothing(stream: Stream, origin):
    with pytest.raises(InvalidStatus) as refused:
        await stream.connect(make_token(), origin=origin)

    assert refused.value.response.status_code == 403
    assert not stream.seen


async def test_our_own_page_may(stream: Stream):
    async with stream.connect(make_token(), origin=f"http://127.0.0.1:{stream.port}") as client:
        assert await is_said_back(client, "hello")


@pytest.mark.parametrize("options", [{}, {"subprotocols": ["bearer", "made-up"]}])
async def test_nobody_gets_in_without_a_good_token(stream: Stream, options):
    with pytest.raises(InvalidStatus) as refused:
        await stream.connect(**options)

    assert refused.value.response.status_code == 401
    assert not stream.seen


async def test_a_services_refusal_comes_back(stream: Stream):
    headers = {"Authorization": f"Bearer {make_token()}"}

    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://127.0.0.1:{stream.port}/api/stream?refuse", additional_headers=headers)

    assert refused.value.response.status_code == 418


async def test_another_version_is_told_which_one(stream: Stream):
    reader, writer = await asyncio.open_connection("127.0.0.1", stream.port)
    writer.write(
        b"GET /api/stream HTTP/1.1\r\nHost: g\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Authorization: Bearer " + make_token().encode() + b"\r\n\r\n"
    )
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()

    assert head.startswith(b"HTTP/1.1 426 ")
    assert b"sec-websocket-version: 13\r\n" in head


@pytest.mark.slow
async def test_it_ends_with_its_token(stream: Stream):
    async with stream.connect(make_token(exp=int(time.time()) + 2)) as client:
        assert await is_said_back(client, "hello")
        with pytest.raises(ConnectionClosed):
            await client.recv()


@pytest.mark.slow
async def test_it_ends_with_its_session(stream: Stream):
    sid = "0197f9d6-0000-7000-8000-000000000001"
    async with stream.connect(make_token(sid=UUID(sid))) as client:
        assert await is_said_back(client, "hello")
        stream.auth.sessions.append(sid)
        with pytest.raises(ConnectionClosed):
            await client.recv()


async def test_it_ends_when_the_gateway_does_and_does_not_hold_it_up(stream: Stream):
    async with stream.connect(make_token()) as client:
        assert await is_said_back(client, "hello")
        stream.server.stop()
        with pytest.raises(ConnectionClosed):
            await client.recv()
    await pause(0)
