"""Clients that are slow, old or leaving, and a gateway that starts, fails or stops."""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from functools import partial

import httpx
import pytest

from gateway import app as gateway_app
from gateway import protocol, server
from gateway.app import Gateway
from tests.support.gateway import (
    Auth,
    House,
    Service,
    gateway_settings,
    make_token,
    ok,
    read_request,
)
from tests.support.gateway_calls import GatewayTransport
from tests.support.ports import reserved_port
from tests.support.through_gateway import GATEWAY_KEY, METRICS_TOKEN
from tests.support.waiting import PATIENCE_S, eventually


@pytest.fixture
def impatient(monkeypatch):
    """Look every tenth of a second for what has been slow for longer than three tenths."""
    monkeypatch.setattr(server, "TICKS_PER_SWEEP", 1)
    for name in ("HEAD_TIMEOUT_S", "STALL_TIMEOUT_S"):
        monkeypatch.setattr(protocol, name, 0.3)


@pytest.mark.asvs("E07")
@pytest.mark.parametrize("start", [b"", b"GET /api/inv", b"GET / HTTP/1.1\r\nHost: a\r\nA: b"])
async def test_a_head_that_does_not_come_ends_the_connection(house: House, impatient, start):
    assert not (await house.raw(start)).endswith(b"<open>")


@pytest.mark.asvs("E07")
async def test_a_client_that_does_not_read_ends_its_connection(house: House, impatient):
    house.inventory.respond = lambda _: ok(b"x" * 16_000_000)
    client = socket.create_connection(("127.0.0.1", house.port))
    client.send(house.request())

    def is_connected() -> bool:
        return client.getsockname() in {
            door._transport.get_extra_info("peername") for door in house.connections
        }

    await eventually(is_connected)
    await eventually(lambda: not is_connected())

    assert await asyncio.to_thread(read_the_rest, client) < 16_000_000


def read_the_rest(client: socket.socket) -> int:
    """Return how many bytes come before the end, or the break."""
    received = 0
    with client, suppress(ConnectionError):
        while part := client.recv(1_000_000):
            received += len(part)
    return received


@pytest.mark.asvs("E07")
async def test_many_slow_clients_do_not_slow_the_others(house: House, monkeypatch):
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 3_600)
    slow = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(300)]
    for _, writer in slow:
        writer.write(b"GET /api/inventory HTTP/1.1\r\nA: ")

    answers = await asyncio.gather(*(house.get("/api/inventory") for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert not any(reader.at_eof() for reader, _ in slow)  # Nobody had to go for it.
    for _, writer in slow:
        writer.close()


async def test_http_1_0_is_answered_and_closed(house: House):
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    house.inventory.respond = lambda _: chunked

    answer = await house.raw(house.request(line="GET /api/inventory HTTP/1.0"))

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\nhi")
    assert b"chunked" not in answer


async def test_a_connection_serves_many_requests(house: House):
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    for _ in range(50):
        writer.write(house.request())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"connection:" not in head
        await reader.readexactly(2)
    writer.close()


async def test_expect_100_continue_is_answered_when_the_body_is_wanted(house: House):
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    line = "POST /api/inventory HTTP/1.1"
    writer.write(house.request("Expect: 100-continue", "Content-Length: 2", line=line))
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"{}")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    assert "expect" not in house.inventory.received[0].names()
    writer.close()


async def test_a_fault_of_ours_is_a_problem_that_says_nothing_of_it(house: House, monkeypatch):
    def fail(_: bytes) -> bytes:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(gateway_app, "check_path", fail)

    answer = await house.get("/api/inventory")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text


async def ask(app: Gateway, path: str, **headers: str) -> tuple[int, dict]:
    """Call the gateway itself, without a server."""
    async with httpx.AsyncClient(transport=GatewayTransport(app), base_url="http://g") as client:
        answer = await client.get(path, headers=headers)
    return answer.status_code, answer.json()


async def test_before_auth_has_answered_nobody_passes_and_it_is_nobodys_fault():
    app = Gateway(gateway_settings(auth_url="http://127.0.0.1:9"))
    bearer = {"Authorization": f"Bearer {make_token()}"}

    status, problem = await ask(app, "/api/inventory", **bearer)

    assert (status, problem["code"]) == (503, "identity_unavailable")
    assert (await ask(app, "/health/ready"))[0] == 503
    assert (await ask(app, "/health/live"))[0] == 200
    assert (await ask(app, "/api/inventory"))[0] == 401
    await app.stop()


@pytest.mark.slow
async def test_a_gateway_that_was_there_before_auth_is_ready_when_auth_is():
    auth = Auth()
    auth.reset()
    with reserved_port() as auth.port:
        address = f"http://127.0.0.1:{auth.port}"
        app = Gateway(gateway_settings(auth_url=address))
        await app.start()
        assert (await ask(app, "/health/ready"))[0] == 503

        await auth.start()

        async def is_ready() -> bool:
            return (await ask(app, "/health/ready"))[0] == 200

        await eventually(is_ready)
        await app.stop()
        await auth.stop()


async def test_keys_without_revocations_let_nobody_pass():
    auth = Auth()
    auth.reset()
    await auth.start()
    app = Gateway(gateway_settings(auth_url=f"http://127.0.0.1:{auth.port}"))
    bearer = {"Authorization": f"Bearer {make_token()}"}

    status, problem = await ask(app, "/api/inventory", **bearer)

    assert (status, problem["code"]) == (503, "identity_unavailable")
    await app.stop()
    await auth.stop()


def environment(**changes: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return (
        kept
        | {"GATEWAY_CLIENT_SECRET": "s", "GATEWAY_KEY": GATEWAY_KEY, "METRICS_TOKEN": METRICS_TOKEN}
        | changes
    )


@pytest.mark.slow
async def test_a_missing_secret_ends_the_start_in_one_line():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", stderr=asyncio.subprocess.PIPE,
        env={k: v for k, v in environment().items() if k != "GATEWAY_CLIENT_SECRET"},
    )  # fmt: skip
    _, errors = await process.communicate()

    assert process.returncode == 1
    assert errors.decode().splitlines() == [
        "configuration error: GATEWAY_CLIENT_SECRET: Field required"
    ]


@pytest.mark.slow
async def test_at_sigterm_requests_in_flight_are_answered_first():
    auth, inventory = Auth(), Service()
    for service in (auth, inventory):
        service.reset()
        await service.start()
    arrived, leaving = asyncio.Event(), asyncio.Event()

    async def answer_late(reader, writer):
        await read_request(reader)
        arrived.set()
        await leaving.wait()
        writer.write(ok(b"late"))
        await reader.read()

    inventory.script = answer_late
    with reserved_port() as port:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway",
            env=environment(
                GATEWAY_PORT=str(port), AUTH_URL=f"http://127.0.0.1:{auth.port}",
                INVENTORY_URL=f"http://127.0.0.1:{inventory.port}",
            ),
        )  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_S) as client:
            await eventually(partial(is_ready, client))
            headers = {"Authorization": f"Bearer {make_token()}"}
            answering = asyncio.create_task(client.get("/api/inventory", headers=headers))
            await arrived.wait()

            process.send_signal(signal.SIGTERM)
            await eventually(partial(is_closed, port))
            leaving.set()
            answer = await answering

    assert (answer.status_code, answer.text) == (200, "late")
    assert answer.headers["connection"] == "close"
    async with asyncio.timeout(PATIENCE_S):
        await process.wait()
    for service in (auth, inventory):
        await service.stop()


async def is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/ready")).is_success
    except httpx.TransportError:
        return False


async def is_closed(port: int) -> bool:
    """Say whether nobody listens there."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return True
    writer.close()
    return False


@pytest.mark.slow
async def test_the_gateway_loads_no_framework_no_database_and_no_service():
    code = "import sys, gateway.__main__;print(*{name.partition('.')[0] for name in sys.modules})"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()

    loaded = set(output.decode().split())
    assert "gateway" in loaded
    assert not loaded & {"fastapi", "starlette", "sqlalchemy", "asyncpg", "services"}
