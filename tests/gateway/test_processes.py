"""Gateways as processes: large files, replacement under load, several on one port."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import psutil
import pytest

from tests.support.gateway import Service, make_token, ok
from tests.support.gateway_process import running_gateway
from tests.support.ports import reserved_ports
from tests.support.waiting import PATIENCE_S, eventually, pause

pytestmark = pytest.mark.slow
UPLOAD = "/api/inventory/imports"
APP = """
import sys, asyncio, uvicorn
async def app(scope, receive, send):
    await asyncio.sleep(0.01)
    body = sys.argv[1].encode()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
uvicorn.run(app, port=int(sys.argv[1]), lifespan="off", log_level="critical")
"""


@pytest.mark.asvs("E06")
@pytest.mark.slow
async def test_a_file_of_a_gigabyte_passes_in_constant_memory():
    """Through a gateway in a process of its own, to a service that only counts."""
    size = 1_073_741_824
    counted = 0

    async def count(reader, writer):
        nonlocal counted
        await reader.readuntil(b"\r\n\r\n")
        while counted < size:
            part = await reader.read(1_048_576)
            if not part:
                return
            counted += len(part)
        writer.write(ok(b"counted"))
        await writer.drain()

    service = Service(script=count)
    await service.start()
    address = f"http://127.0.0.1:{service.port}"
    async with running_gateway(INVENTORY_URL=address) as gateway:
        process = psutil.Process(gateway.process.pid)
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        head = (
            f"POST {UPLOAD} HTTP/1.1\r\nHost: g\r\nContent-Length: {size}\r\n"
            f"Authorization: Bearer {make_token()}\r\n\r\n"
        )
        writer.write(head.encode())
        before = peak = process.memory_info().rss
        part = bytes(4_194_304)
        for _ in range(size // len(part)):
            writer.write(part)
            await writer.drain()
            peak = max(peak, process.memory_info().rss)
        answer = await reader.readuntil(b"counted")

        writer.close()
    await service.stop()

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert counted == size
    assert peak - before < 16 * 1_048_576


def request() -> bytes:
    head = f"GET /api/inventory HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {make_token()}"
    return f"{head}\r\n\r\n".encode()


async def test_a_gateway_that_ends_under_load_answers_all_that_was_sent():
    """Each client goes on until it is told that the connection ends."""
    service = Service(respond=lambda _: ok(b"fine"))
    await service.start()
    answered = 0

    async def ask_until_told(port: int) -> int:
        nonlocal answered
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while True:
            writer.write(request())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            assert await reader.readexactly(4) == b"fine"
            answered += 1
            if b"connection: close" in head:
                writer.close()
                return True
            await pause(0.005)

    async with running_gateway(INVENTORY_URL=f"http://127.0.0.1:{service.port}") as gateway:
        asking = [asyncio.create_task(ask_until_told(gateway.port)) for _ in range(30)]
        await eventually(lambda: answered > 300)

        gateway.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            told = await asyncio.gather(*asking)
        await gateway.ended()
    await service.stop()

    assert told == [True] * 30
    assert gateway.process.returncode == 0


@asynccontextmanager
async def instance(port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """A real service on uvicorn, which says its port."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", APP, str(port))
    await eventually(lambda: is_open(port))
    yield process
    if process.returncode is None:
        process.terminate()
    await process.wait()


async def is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True


def has_ended(task: asyncio.Task[None]) -> bool:
    return task.done()


async def test_an_instance_that_is_replaced_under_load_costs_no_request():
    answers: list[str] = []

    async def ask(client: httpx.AsyncClient) -> None:
        while not stopping.is_set():
            headers = {"Authorization": f"Bearer {make_token()}"}
            answer = await client.get("/api/inventory", headers=headers)
            assert answer.status_code == 200, answer.text
            answers.append(answer.text)

    stopping = asyncio.Event()
    with reserved_ports(2) as (one, other):
        urls = f"http://127.0.0.1:{one},http://127.0.0.1:{other}"
        async with instance(one), running_gateway(INVENTORY_URL=urls) as gateway:
            address = f"http://127.0.0.1:{gateway.port}"
            async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_S) as client:
                asking = [asyncio.create_task(ask(client)) for _ in range(20)]
                for _ in range(2):
                    async with instance(other) as process:
                        answers.clear()
                        await eventually(
                            lambda: answers.count(str(other)) > 20 or any(map(has_ended, asking))
                        )
                        assert not any(map(has_ended, asking))
                        process.terminate()
                        await process.wait()
                stopping.set()
                await asyncio.gather(*asking)


def is_serving(process: psutil.Process) -> bool:
    """Whether it is one that serves; one may end while it is looked at."""
    try:
        return process.status() != "zombie" and "spawn_main" in str(process.cmdline())
    except psutil.NoSuchProcess:
        return False


async def test_several_processes_share_the_port_and_one_that_dies_is_replaced():
    service = Service(respond=lambda _: ok(b"fine"))
    await service.start()
    address = f"http://127.0.0.1:{service.port}"
    with reserved_ports(1) as (metrics_port,):
        async with running_gateway(
            INVENTORY_URL=address, GATEWAY_PROCESSES="2", GATEWAY_METRICS_PORT=str(metrics_port)
        ) as gateway:
            parent = psutil.Process(gateway.process.pid)

            def serving() -> list[psutil.Process]:
                return [each for each in parent.children() if is_serving(each)]

            await eventually(lambda: len(serving()) == 2)
            first = serving()[0]
            first.kill()
            await eventually(lambda: len(serving()) == 2 and first not in serving())
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway.port}") as client:
                headers = {"Authorization": f"Bearer {make_token()}"}

                async def is_served() -> bool:
                    return (await client.get("/api/inventory", headers=headers)).text == "fine"

                await eventually(is_served)
            gateway.process.send_signal(signal.SIGTERM)
            await gateway.ended()
            assert gateway.process.returncode == 0
    await service.stop()
