"""A caller is looked at again before what he sent slowly counts."""

import asyncio
from uuid import uuid4

import pytest

from gateway import proxy
from tests.gateway.test_identity import comes_to_be_refused
from tests.support.gateway import BULK, House, make_token
from tests.support.waiting import PATIENCE_S, eventually, pause

pytestmark = pytest.mark.asvs("C08")
SIZE = 4 * proxy.BUFFERED_MAX
FILE = b"x" * (SIZE - 1)


async def begin(house: House, path: str, body: bytes, length: int):
    """Send a request but for the end of its body, with a token; return its session as well."""
    session = uuid4()
    house.token = make_token(sid=session)
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(house.request(f"Content-Length: {length}", line=f"POST {path} HTTP/1.1") + body)
    await writer.drain()
    return reader, writer, session


async def end_session(house: House, session) -> None:
    house.auth.sessions.append(str(session))
    assert await comes_to_be_refused(house, house.token)


async def read_answer(reader) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        return await reader.read()


async def test_whose_session_ends_before_his_body_does_has_sent_nothing(house: House):
    reader, writer, session = await begin(house, "/api/inventory", b"{", 2)

    await end_session(house, session)

    assert (await read_answer(reader)).startswith(b"HTTP/1.1 401 ")
    assert not any("POST" in request.line for request in house.inventory.received)
    writer.close()


async def test_nor_does_a_token_outlive_its_time_by_a_slow_body(house: House, monkeypatch):
    reader, writer, _ = await begin(house, "/api/inventory", b"{", 2)
    monkeypatch.setattr("gateway.identity.time.time", lambda: 4_000_000_000)

    assert (await read_answer(reader)).startswith(b"HTTP/1.1 401 ")
    assert not house.inventory.received
    writer.close()


async def test_a_file_that_streams_is_broken_off_when_its_senders_session_ends(house: House):
    seen: list[bytes] = []
    ended = asyncio.Event()

    async def read_all(reader, _writer):
        await reader.readuntil(b"\r\n\r\n")
        while part := await reader.read(65_536):
            seen.append(part)
        ended.set()

    await house.inventory.hang_up()
    house.inventory.script = read_all
    reader, writer, session = await begin(house, BULK, FILE, SIZE)
    await eventually(lambda: seen)
    house.inventory.script = None  # Other requests are answered.

    await end_session(house, session)

    assert (await read_answer(reader)).startswith(b"HTTP/1.1 401 ")
    async with asyncio.timeout(PATIENCE_S):
        await ended.wait()
    assert sum(map(len, seen)) < SIZE
    writer.close()


async def test_who_still_may_is_served_however_slow(house: House):
    reader, writer, _ = await begin(house, "/api/inventory", b"{", 2)
    await pause(2 * proxy.STANDING_S)
    writer.write(b"}")

    async with asyncio.timeout(PATIENCE_S):
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    assert house.inventory.received[0].body == b"{}"
    writer.close()
