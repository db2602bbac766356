"""Services that are away, slow, broken or lying, and clients that leave."""

import asyncio
import time
from functools import partial

import httpx
import pytest

from gateway.routes import ROUTES
from tests.support.gateway import House, ok, read_request
from tests.support.waiting import PATIENCE_S, eventually, pause


async def test_a_service_that_is_away_is_503(house: House):
    answer = await house.get("/api/ai/models/list")

    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert answer.json()["service"] == "forecasting"
    assert answer.headers["retry-after"] == "1"


GARBAGE = {
    "text": b"I am no HTTP\r\n\r\n",
    "nothing": b"",
    "ssh": b"SSH-2.0-OpenSSH_9\r\n",
    "version": b"HTTP/9.9 200 OK\r\ncontent-length: 0\r\n\r\n",
    "status": b"HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n",
    "both framings": b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
    "negative length": b"HTTP/1.1 200 OK\r\ncontent-length: -3\r\n\r\n",
    "folded": b"HTTP/1.1 200 OK\r\na: b\r\n c\r\ncontent-length: 0\r\n\r\n",
    "nul": b"HTTP/1.1 200 OK\r\na: b\x00\r\ncontent-length: 0\r\n\r\n",
    "other coding": b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "switching": b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    "head cut short": b"HTTP/1.1 200 OK\r\ncontent-le",
    "large head": b"HTTP/1.1 200 OK\r\na: " + b"x" * 70_000 + b"\r\ncontent-length: 0\r\n\r\n",
    "endless head": b"HTTP/1.1 200 OK\r\na: " + b"x" * 400_000,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 300 + b"content-length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", GARBAGE)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_garbage_from_a_service_is_502_and_ends_the_connection(house: House, name, method):
    async def talk_garbage(reader, writer):
        await read_request(reader)
        writer.write(GARBAGE[name])

    await house.inventory.hang_up()
    house.inventory.script = talk_garbage

    answer = await house.call(method, "/api/inventory")

    assert (answer.status_code, answer.json()["code"]) == (502, "bad_gateway")
    assert answer.json()["service"] == "inventory"
    house.inventory.script = None
    assert (await house.get("/api/inventory")).status_code == 200


async def test_a_second_answer_behind_the_first_serves_nobody(house: House):
    house.inventory.respond = lambda _: ok(b"mine") + ok(b"poison")

    for _ in range(5):
        assert (await house.get("/api/inventory")).content == b"mine"
    house.inventory.respond = lambda _: ok(b"fine")
    assert (await house.get("/api/inventory")).content == b"fine"


async def test_an_unasked_answer_serves_nobody(house: House):
    async def speak_late(reader, writer):
        while True:
            await read_request(reader)
            writer.write(ok(b"mine"))
            await answered.get()
            writer.write(ok(b"poison"))

    answered: asyncio.Queue[None] = asyncio.Queue()
    await house.inventory.hang_up()
    house.inventory.script = speak_late

    for _ in range(3):
        assert (await house.get("/api/inventory")).content == b"mine"
        answered.put_nowait(None)
        await eventually(lambda: not house.inventory.is_kept())


async def test_interim_answers_are_skipped(house: House):
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    house.inventory.respond = lambda _: b"HTTP/1.1 100 Continue\r\n\r\n" + hints + ok(b"at last")

    for _ in range(2):
        answer = await house.get("/api/inventory")
        assert (answer.status_code, answer.content) == (200, b"at last")
        assert "link" not in answer.headers


async def test_a_chunked_answer_passes_without_its_trailers(house: House):
    house.inventory.respond = lambda _: (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x\r\n\r\n"
        b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nx-user: 1\r\netag: forged\r\n\r\n"
    )

    for _ in range(2):
        answer = await house.get("/api/inventory")
        assert answer.content == b"hello world"
        assert not {"x-user", "etag", "trailer"} & answer.headers.keys()


async def test_an_answer_until_close_passes(house: House):
    async def answer_and_close(reader, writer):
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nuntil")
        await writer.drain()
        await pause(0.02)
        writer.write(b" close")

    await house.inventory.hang_up()
    house.inventory.script = answer_and_close

    assert (await house.get("/api/inventory")).content == b"until close"


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n",
    ],
)
async def test_an_answer_cut_short_is_cut_short_for_the_client_too(house: House, start):
    async def break_off(reader, writer):
        await read_request(reader)
        writer.write(start)
        await writer.drain()

    await house.inventory.hang_up()
    house.inventory.script = break_off

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await house.get("/api/inventory")


async def test_a_get_is_sent_again_when_its_kept_connection_was_dead(house: House):
    await house.get("/api/inventory")
    hangups = close_after_reading(house)

    answer = await house.get("/api/inventory")

    assert answer.status_code == 200
    assert hangups == ["GET /api/inventory HTTP/1.1"]


async def test_a_post_is_not_sent_twice(house: House):
    await house.get("/api/inventory")
    hangups = close_after_reading(house)

    answer = await house.call("POST", "/api/inventory", content=b"{}")

    assert (answer.status_code, answer.json()["code"]) == (502, "bad_gateway")
    assert hangups == ["POST /api/inventory HTTP/1.1"]
    assert house.inventory.received[-1].line.startswith("GET")


def close_after_reading(house: House) -> list[str]:
    """Let connections now open take one more request and die; new ones work."""
    hangups: list[str] = []
    old = set(house.inventory.writers)

    def hang_up(request, writer):
        if writer in old:
            hangups.append(request.line)
            writer.transport.abort()
            return None
        return ok()

    house.inventory.respond_to = hang_up
    return hangups


async def test_a_connection_closed_while_idle_is_not_used(house: House):
    await house.get("/api/inventory")
    await house.inventory.hang_up()

    assert (await house.call("POST", "/api/inventory", content=b"{}")).status_code == 200


async def test_a_service_half_closing_after_its_answer_is_left(house: House):
    async def half_close(reader, writer):
        await read_request(reader)
        writer.write(ok(b"bye"))
        writer.write_eof()
        await reader.read()

    await house.inventory.hang_up()
    house.inventory.script = half_close

    for _ in range(3):
        assert (await house.call("POST", "/api/inventory", content=b"{}")).content == b"bye"
        await eventually(lambda: not house.inventory.is_kept())


async def test_a_slow_service_is_504_at_the_deadline(house: House, short_timeout):
    async def sleep(reader, writer):
        await read_request(reader)
        await reader.read()
        house.inventory.gone += 1

    await house.inventory.hang_up()
    house.inventory.script = sleep
    started = time.perf_counter()

    answer = await house.get("/api/inventory")

    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
    assert time.perf_counter() - started > 0.29
    assert await house.inventory.is_left()


@pytest.mark.parametrize("sent", [b"", b"x" * 10, b"x" * 90_000])
async def test_a_slow_body_is_408_at_the_deadline(house: House, short_timeout, sent):
    line = "POST /api/inventory HTTP/1.1"

    answer = await house.raw(house.request("Content-Length: 100000", line=line) + sent)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert not answer.endswith(b"<open>")


@pytest.fixture
def short_timeout(monkeypatch):
    """0.3 s for /api/inventory; what this gives makes it long again."""
    route = next(route for route in ROUTES if route.path == "/api/inventory")
    object.__setattr__(route, "timeout_s", 0.3)
    yield partial(object.__setattr__, route, "timeout_s", PATIENCE_S)
    object.__setattr__(route, "timeout_s", 15)


async def test_places_are_not_lost_by_those_who_give_up_waiting(house: House, short_timeout):
    async def sleep(reader, writer):
        await read_request(reader)
        await reader.read()

    await house.inventory.hang_up()
    house.inventory.script = sleep
    answers = await asyncio.gather(*(house.get("/api/inventory") for _ in range(40)))
    assert {answer.status_code for answer in answers} <= {503, 504}

    house.inventory.script = None
    await house.inventory.hang_up()  # Some were opened, and not used before the time was up.
    house.gateway._services["inventory"].forget_failures()
    short_timeout()
    answers = await asyncio.gather(*(house.get("/api/inventory") for _ in range(40)))

    assert {answer.status_code for answer in answers} == {200}
