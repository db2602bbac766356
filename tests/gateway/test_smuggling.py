"""Bytes on the wire that two parties could read differently (GATEWAY 2.3; checklist E02-E06)."""

import asyncio
import json

import pytest

from shared.limits import BODY_LIMIT_BYTES, BULK_LIMIT_BYTES
from tests.support.gateway import BULK, House, ok, read_request
from tests.support.waiting import PATIENCE_S, eventually, pause

POST = "POST /api/inventory HTTP/1.1"


async def refused(house: House, data: bytes, status: int = 400) -> None:
    answer = await house.raw(data)

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert not answer.endswith(b"<open>")  # The connection is closed.
    assert json.loads(body)["status"] == status
    assert b"application/problem+json" in head
    assert not house.inventory.received


@pytest.mark.asvs("E03")
@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5", "Content-Length: 5"),
        ("Content-Length: 5, 5",),
        ("Content-Length: +5",),
        ("Content-Length: -1",),
        ("Content-Length: 0x5",),
        ("Content-Length: 99999999999999999999999",),
        ("Transfer-Encoding : chunked",),
        ("Transfer-Encoding: \x0bchunked",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: gzip, chunked",),
        ("X: a\r\n folded",),
        ("X: a\rY: b",),
        ("X: a\nY: b",),
        ("X: a\x00b",),
        ("X y: a",),
        (": a",),
        ("X\x00: a",),
    ],
)
async def test_ambiguous_framing_is_refused(house: House, headers):
    await refused(house, house.request(*headers, line=POST) + b"0\r\n\r\n")


@pytest.mark.asvs("E03")
@pytest.mark.parametrize(
    "body",
    [b"5\nhello\r\n0\r\n\r\n", b"5;a=\nb\r\nhello\r\n0\r\n\r\n", b"0x3\r\nabc\r\n0\r\n\r\n",
     b"3\r\nabcde\r\n0\r\n\r\n", b"3\r\nabcX\r\n0\r\n\r\n", b"-3\r\nabc\r\n0\r\n\r\n",
     b"fffffffffffffffff\r\n", b"3 \r\nabc\r\n0\r\n\r\n", b"\r\n\r\n", b"g\r\n"],
)  # fmt: skip
async def test_a_badly_chunked_body_is_refused(house: House, body):
    await refused(house, house.request("Transfer-Encoding: chunked", line=POST) + body)


@pytest.mark.asvs("E03", "E08")
@pytest.mark.parametrize(
    "data",
    [b"GET /api/inventory\r\n\r\n", b"GET /api/inventory HTTP/0.9\r\n\r\n", b"\x16\x03\x01\x02\x00",
     b"GET /api/inventory HTTP/2.0\r\n\r\n", b"GET /api/inventory HTTP/1.1 \r\nHost: a\r\n\r\n",
     b"GET /api/inventory HTTP/1.1\nHost: a\n\n", b"GET /a\xff HTTP/1.1\r\nHost: a\r\n\r\n",
     b"GET http://gateway/api/inventory HTTP/1.1\r\nHost: a\r\n\r\n",
     b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
     b"GET /api/inventory#x HTTP/1.1\r\nHost: a\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
     b"GET api/inventory HTTP/1.1\r\nHost: a\r\n\r\n"],
)  # fmt: skip
async def test_what_is_no_http_1_1_request_for_a_path_is_refused(house: House, data):
    await refused(house, data)


async def test_one_host_is_needed(house: House):
    bare = f"GET /api/inventory HTTP/1.1\r\nAuthorization: Bearer {house.token}\r\n"
    for hosts in ("", "Host: a\r\nHost: b\r\n"):
        answer = await house.raw((bare + hosts + "Connection: close\r\n\r\n").encode())
        assert answer.startswith(b"HTTP/1.1 400 ")
    assert not house.inventory.received


@pytest.mark.asvs("E01")
async def test_two_tokens_are_refused(house: House):
    answer = await house.raw(house.request("Authorization: Bearer x", "Connection: close"))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert not house.inventory.received


@pytest.mark.asvs("E02")
@pytest.mark.parametrize("pieces", [1, 2, 60])
async def test_trailers_reach_nobody(house: House, pieces):
    """Neither this request's service, nor the next request on the connection."""
    data = (
        house.request("Transfer-Encoding: chunked", "Trailer: X-User-Id", line=POST)
        + b"2\r\n{}\r\n0\r\nX-User-Id: admin\r\nAccept: forged\r\nAuthorization: Bearer z\r\n\r\n"
        + house.request("Connection: close")
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    size = len(data) // pieces + 1
    for start in range(0, len(data), size):
        writer.write(data[start : start + size])
        await writer.drain()
        await pause(0.002)
    answer = await reader.read()
    writer.close()

    assert answer.count(b"HTTP/1.1 200") == 2
    first, second = house.inventory.received
    assert first.body == b"{}"
    for received in (first, second):
        assert received.all("authorization") == [f"Bearer {house.token}"]
        assert not received.names() & {"x-user-id", "accept", "trailer"}


@pytest.mark.asvs("E03")
async def test_a_smuggled_request_stays_body(house: House):
    inner = b"GET /internal/journal HTTP/1.1\r\nHost: x\r\n\r\n"
    await house.call("POST", "/api/inventory", content=inner)
    await house.get("/api/inventory")

    assert [request.line[:4] for request in house.inventory.received] == ["POST", "GET "]
    assert house.inventory.received[0].body == inner


@pytest.mark.asvs("E03")
async def test_after_refused_bytes_the_pool_serves_each_client_its_own(house: House):
    house.inventory.respond = lambda request: ok(request.line.encode())
    attack = house.request("Content-Length: 60", line=POST) + b"x" * 10

    async def attacker():
        _reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(attack)
        await writer.drain()
        await pause(0.02)
        writer.close()

    async def victim(number: int):
        answer = await house.get(f"/api/inventory/{number}")
        assert answer.text == f"GET /api/inventory/{number} HTTP/1.1"

    await asyncio.gather(*(attacker() for _ in range(30)), *(victim(n) for n in range(60)))


async def test_pipelined_requests_are_answered_in_order(house: House):
    async def answer_the_first_last(reader, writer):
        while True:
            request = await read_request(reader)
            await pause(0.1 if "/0 " in request.line else 0)
            writer.write(ok(request.line.encode()))

    house.inventory.script = answer_the_first_last
    await house.inventory.hang_up()
    lines = [f"GET /api/inventory/{n} HTTP/1.1" for n in range(5)]
    data = b"".join(house.request(line=line) for line in lines[:-1])

    answer = await house.raw(data + house.request("Connection: close", line=lines[-1]))

    places = [answer.index(line.encode()) for line in lines]
    assert places == sorted(places)


async def test_garbage_behind_a_whole_request_does_not_take_its_answer(house: House):
    house.inventory.respond = lambda _: ok(b"mine")

    answer = await house.raw(house.request() + b"\x00garbage\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"mine")


async def test_an_upgrade_is_not_followed(house: House):
    data = house.request("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")

    answer = await house.raw(data + house.request(line="GET /api/inventory/second HTTP/1.1"))

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"HTTP/1.1") == 1
    assert not answer.endswith(b"<open>")
    assert len(house.inventory.received) == 1


LIMIT = BODY_LIMIT_BYTES


@pytest.mark.asvs("E06")
async def test_a_body_of_the_limit_passes_and_one_byte_more_does_not(house: House):
    house.inventory.respond = lambda request: ok(str(len(request.body)).encode())

    assert (await house.call("POST", "/api/inventory", content=b"z" * LIMIT)).text == str(LIMIT)
    answer = await house.call("POST", "/api/inventory", content=b"z" * (LIMIT + 1))

    assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")
    assert answer.json()["limit_bytes"] == LIMIT
    assert answer.headers["connection"] == "close"


async def test_a_bulk_route_takes_the_largest_bodies(house: House):
    house.inventory.respond = lambda request: ok(str(len(request.body)).encode())
    path, limit = "/api/inventory/movements/bulk", BULK_LIMIT_BYTES

    assert (await house.call("POST", path, content=b"z" * limit)).text == str(limit)
    answer = await house.call("POST", path, content=b"z" * (limit + 1))

    assert (answer.status_code, answer.json()["limit_bytes"]) == (413, limit)


@pytest.mark.asvs("E06")
async def test_a_declared_body_above_the_limit_is_refused_unread(house: House):
    answer = await house.raw(house.request(f"Content-Length: {LIMIT + 1}", line=POST))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert not answer.endswith(b"<open>")
    assert not house.inventory.received


@pytest.mark.asvs("E06")
async def test_a_chunked_body_above_the_limit_is_refused(house: House):
    async def parts():
        for _ in range(LIMIT // 65_536 + 1):
            yield b"z" * 65_536

    answer = await house.call("POST", "/api/inventory", content=parts())

    assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")
    assert not house.inventory.received


async def test_a_route_may_have_a_lower_limit(house: House):
    answer = await house.call("POST", "/api/auth/login", content=b"z" * 20_000)

    assert (answer.status_code, answer.json()["limit_bytes"]) == (413, 16_384)


@pytest.mark.asvs("E06")
@pytest.mark.parametrize(
    "headers",
    [
        [f"X-{n}: 1" for n in range(2_000)],
        [f"X-{n}: 1" for n in range(101)],
        ["A: " + "x" * 200_000],
        ["A: " + "x" * 40_000],
        ["A" * 200_000 + ": x"],
    ],
)
async def test_too_many_or_too_large_headers_are_refused(house: House, headers):
    answer = await house.raw(house.request(*headers, "Connection: close"))

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"application/problem+json" in answer
    assert not house.inventory.received


@pytest.mark.asvs("E06")
async def test_a_header_without_end_is_cut_off(house: House):
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(b"GET /api/inventory HTTP/1.1\r\nA: ")

    async def write_on():
        while True:
            writer.write(b"x" * 10_000)
            await writer.drain()
            await pause(0.001)

    writing = asyncio.create_task(write_on())
    answer = await reader.read(100)

    assert answer.startswith(b"HTTP/1.1 431 ")
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(ConnectionError):
            await writing


async def test_long_addresses_are_refused(house: House):
    for path in ("/api/inventory/" + "x" * 2_048, "/api/inventory?q=" + "x" * 8_193):
        assert (await house.get(path)).status_code == 414


async def test_a_lying_content_length_leaves_nothing_behind(house: House):
    """A client that leaves in the middle of its body: the service never sees a whole request."""
    _reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    line = f"POST {BULK} HTTP/1.1"
    writer.write(house.request("Content-Length: 400000", line=line) + b"x" * 300_000)
    await eventually(lambda: house.inventory.writers)
    writer.close()

    assert await house.inventory.is_left()
    assert not house.inventory.received
    assert (await house.get("/api/inventory")).status_code == 200
