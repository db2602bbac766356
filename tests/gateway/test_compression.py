"""What is compressed, how, and what never is."""

import asyncio
import gzip
import os

import brotli
import httpx
import pytest
import zstandard

from gateway.compression import LENGTH_MIN, ON_LOOP_MAX, choose
from tests.support.gateway import House, make_token, ok, read_request
from tests.support.waiting import PATIENCE_S

TEXT = b'{"items": ["' + b"elbow joint, " * 200 + b'"]}'
JSON = "content-type: application/json"
DECODE = {
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "br": brotli.decompress,
    "gzip": gzip.decompress,
}


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, None), (b"", None), (b"identity", None), (b"deflate, compress", None),
        (b"gzip", b"gzip"), (b"br", b"br"), (b"zstd", b"zstd"), (b"GZIP", b"gzip"),
        (b"gzip, deflate, br, zstd", b"zstd"), (b"gzip, br", b"br"),
        (b"zstd;q=0.5, br;q=0.9, gzip;q=1.0", b"gzip"), (b"gzip ; q=0.5 , br;q=0.501", b"br"),
        (b"zstd;q=0, gzip", b"gzip"), (b"gzip;q=0", None), (b"gzip;q=0.000", None),
        (b"*", b"zstd"), (b"*;q=0", None), (b"zstd;q=0, *", b"br"), (b"*;q=0, gzip", b"gzip"),
        (b"identity;q=1, gzip;q=0.5", None), (b"identity;q=0.5, gzip", b"gzip"),
        (b"gzip;q=x", None), (b"gzip;q=2", None), (b"gzip;level=9, br", b"br"), (b",,;", None),
    ],
)  # fmt: skip
def test_the_client_chooses_by_quality(accepted, coding):
    assert choose(accepted) == coding


async def raw_body(house: House, path: str, accepted: str) -> tuple[httpx.Headers, bytes]:
    headers = {"Authorization": f"Bearer {house.token}", "Accept-Encoding": accepted}
    async with house.client.stream("GET", path, headers=headers) as answer:
        return answer.headers, b"".join([part async for part in answer.aiter_raw()])


@pytest.mark.parametrize("size", [LENGTH_MIN, 20_000, ON_LOOP_MAX + 1, 1_000_000])
@pytest.mark.parametrize("coding", DECODE)
async def test_text_is_compressed_as_the_client_likes(house: House, coding, size):
    text = (TEXT * (size // len(TEXT) + 1))[:size]
    house.inventory.respond = lambda _: ok(text, JSON, 'etag: "7-5f0c"', "vary: Accept-Language")

    headers, body = await raw_body(house, "/api/inventory", coding)

    assert headers["content-encoding"] == coding
    assert DECODE[coding](body) == text
    assert len(body) < len(text)
    assert headers["etag"] == 'W/"7-5f0c"'  # These are no longer the bytes that it stood for.
    vary = {name.strip() for name in headers["vary"].split(",")}
    assert vary >= {"Accept-Language", "Accept-Encoding"}


ENCODED = gzip.compress(TEXT * 99)
LEFT = {
    "short": (ok(TEXT[: LENGTH_MIN - 1], JSON), TEXT[: LENGTH_MIN - 1]),
    "binary": (ok(TEXT, "content-type: image/png"), TEXT),
    "untyped": (ok(TEXT), TEXT),
    "events": (ok(TEXT, "content-type: text/event-stream"), TEXT),
    "encoded": (ok(ENCODED, JSON, "content-encoding: gzip"), ENCODED),
    "fixed": (ok(TEXT, JSON, "cache-control: no-transform"), TEXT),
    "part": (ok(TEXT, JSON, "content-range: bytes 0-9/99", status="206 Partial Content"), TEXT),
    "refused": (ok(TEXT, JSON, status="409 Conflict"), TEXT),
}


@pytest.mark.parametrize("kind", LEFT)
async def test_what_gains_nothing_or_may_not_be_changed_is_left_as_it_is(house: House, kind):
    answer, body = LEFT[kind]
    house.inventory.respond = lambda _: answer

    headers, received = await raw_body(house, "/api/inventory", "zstd, br, gzip")

    assert headers.get("content-encoding") == ("gzip" if kind == "encoded" else None)
    assert received == body
    assert headers["content-length"] == str(len(received))


@pytest.mark.asvs("E09")
@pytest.mark.parametrize("path", ["/api/auth/me", "/api/auth/2fa/setup", "/api/users"])
async def test_answers_with_secrets_are_never_compressed(house: House, path):

    house.token = make_token(scopes=frozenset({"user:manage"}))
    usual = house.auth.respond
    house.auth.respond = lambda r: ok(TEXT, JSON) if f" {path} " in r.line else usual(r)

    headers, body = await raw_body(house, path, "zstd, br, gzip")

    assert "content-encoding" not in headers
    assert body == TEXT


async def test_who_likes_none_gets_it_as_it_is_and_caches_are_told(house: House):
    house.inventory.respond = lambda _: ok(TEXT, JSON, 'etag: "7-5f0c"')

    headers, body = await raw_body(house, "/api/inventory", "identity")

    assert (body, headers["etag"]) == (TEXT, '"7-5f0c"')
    assert "Accept-Encoding" in headers["vary"]
    assert headers["content-length"] == str(len(TEXT))


async def test_who_asks_for_the_head_alone_gets_that(house: House):
    house.inventory.respond = lambda _: ok(b"", JSON)

    answer = await house.call("HEAD", "/api/inventory", headers={"Accept-Encoding": "gzip"})

    assert (answer.status_code, answer.content) == (200, b"")
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("coding", DECODE)
async def test_a_stream_is_passed_on_as_it_comes(house: House, coding):
    """Its first line is readable before the second is written."""
    may_end = asyncio.Event()

    async def stream(reader, writer):
        await read_request(reader)
        head = f"HTTP/1.1 200 OK\r\n{JSON}\r\ntransfer-encoding: chunked\r\n\r\n"
        writer.write(head.encode() + b"6\r\nfirst\n\r\n")
        await may_end.wait()
        writer.write(b"7\r\nsecond\n\r\n0\r\n\r\n")
        await reader.read()

    await house.inventory.hang_up()
    house.inventory.script = stream
    headers = {"Authorization": f"Bearer {house.token}", "Accept-Encoding": coding}
    received = b""
    async with asyncio.timeout(PATIENCE_S):
        async with house.client.stream("GET", "/api/inventory", headers=headers) as answer:
            assert answer.headers["content-encoding"] == coding
            async for part in answer.aiter_bytes():
                received += part
                if received == b"first\n":
                    may_end.set()

    assert received == b"first\nsecond\n"


async def test_a_large_answer_is_not_compressed_on_the_loop(house: House):
    """Others are answered while eight megabytes of noise are compressed, which takes its time."""
    noise = os.urandom(4_000_000).hex().encode()
    house.inventory.respond = lambda r: ok(noise if "large" in r.line else b"{}", JSON)

    large = asyncio.create_task(raw_body(house, "/api/inventory/large", "br"))
    small = 0
    while not large.done():
        assert (await house.get("/api/inventory")).status_code == 200
        small += 1
    _, body = await large

    assert brotli.decompress(body) == noise
    assert small > 3


async def test_our_own_documents_are_compressed(house: House):
    answer = await house.client.get("/docs/swagger-ui.css", headers={"Accept-Encoding": "gzip"})

    assert answer.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["vary"]
