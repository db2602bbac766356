"""Clients that leave, large bodies in both directions, and more requests than connections."""

import asyncio
import os

import psutil

from gateway import proxy
from tests.support.gateway import BULK, House, ok, read_request
from tests.support.waiting import pause


async def test_a_client_that_leaves_ends_the_work_for_it(house: House):
    arrived = asyncio.Event()

    async def wait(reader, writer):
        await read_request(reader)
        arrived.set()
        await reader.read()
        house.inventory.gone += 1

    await house.inventory.hang_up()
    house.inventory.script = wait
    _, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(house.request())
    await arrived.wait()

    writer.close()
    assert await house.inventory.is_left()


async def test_a_client_that_leaves_in_the_middle_of_an_answer_ends_it(house: House):
    async def stream(reader, writer):
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        try:
            while True:
                writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                await writer.drain()
                await pause(0.005)
        except ConnectionError:
            house.inventory.gone += 1

    await house.inventory.hang_up()
    house.inventory.script = stream
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(house.request())
    await reader.read(1000)

    writer.close()
    assert await house.inventory.is_left()


async def test_a_half_read_answer_never_serves_the_next_request(house: House):
    async def stall(reader, writer):
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        if not await reader.read(1):
            house.inventory.gone += 1

    await house.inventory.hang_up()
    house.inventory.script = stall
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(house.request())
    await reader.readuntil(b"half")

    writer.close()
    assert await house.inventory.is_left()


async def test_an_early_refusal_by_the_service_reaches_the_client(house: House):
    async def refuse_early(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ok(b"no", status="409 Conflict"))
        await writer.drain()
        await answered.wait()

    answered = asyncio.Event()
    await house.inventory.hang_up()
    house.inventory.script = refuse_early

    answer = await house.raw(
        house.request("Content-Length: 5000000", line=f"POST {BULK} HTTP/1.1") + b"x" * 300_000
    )
    answered.set()

    assert answer.startswith(b"HTTP/1.1 409 ")
    assert b"connection: close" in answer
    assert not answer.endswith(b"<open>")


MIB = 1_048_576


async def test_a_large_answer_streams_to_a_slow_reader_in_bounded_memory(house: House):
    size = 64 * MIB

    async def stream(reader, writer):
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        for _ in range(size // MIB):
            writer.write(b"x" * MIB)
            await writer.drain()

    await house.inventory.hang_up()
    house.inventory.script = stream
    before = psutil.Process(os.getpid()).memory_info().rss
    received = peak = 0
    headers = {"Authorization": f"Bearer {house.token}"}
    async with house.client.stream("GET", "/api/inventory", headers=headers) as answer:
        await pause(0.3)  # Whatever would pile up has the time to.
        async for part in answer.aiter_raw(MIB):
            received += len(part)
            peak = max(peak, psutil.Process(os.getpid()).memory_info().rss)

    assert received == size
    assert peak - before < 24 * MIB  # The service's and the reader's buffers are in this process.


async def test_a_large_body_streams_to_a_slow_service_in_bounded_memory(house: House):
    size = 15 * MIB
    peaks = []

    async def read_slowly(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await pause(0.3)
        received = 0
        while received < size:
            received += len(await reader.read(MIB))
            peaks.append(psutil.Process(os.getpid()).memory_info().rss)
        writer.write(ok(str(received).encode()))

    async def parts():
        for _ in range(size // MIB):
            yield b"x" * MIB

    await house.inventory.hang_up()
    house.inventory.script = read_slowly
    before = psutil.Process(os.getpid()).memory_info().rss

    declared = {"Content-Length": str(size)}
    answers = [await house.call("POST", BULK, content=parts(), headers=declared) for _ in range(2)]

    assert [answer.text for answer in answers] == [str(size)] * 2
    assert max(peaks) - before < 12 * MIB


async def test_more_requests_than_connections_wait_their_turn(house: House):
    async def answer_slowly(reader, writer):
        while True:
            request = await read_request(reader)
            await pause(0.01)
            writer.write(ok(request.line.encode()))

    await house.inventory.hang_up()
    house.inventory.script = answer_slowly

    answers = await asyncio.gather(*(house.get(f"/api/inventory/{n}") for n in range(80)))

    assert [a.text for a in answers] == [f"GET /api/inventory/{n} HTTP/1.1" for n in range(80)]
    assert house.inventory.connections <= 8


def test_the_buffer_limits_are_what_the_memory_tests_assume():
    assert max(proxy.BUFFERED_MAX, proxy.ANSWER_BUFFERED_MAX) <= MIB
