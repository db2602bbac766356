"""Bytes that two parties could read differently: paths, framing, sizes, and slowness."""

import asyncio
import time

import pytest

from shared.limits import BODY_LIMIT_BYTES, SMALL_LIMIT_BYTES
from tests.attack.attempts import Attack
from tests.attack.wire import Heard, request, speak
from tests.attack.world import Person, World
from tests.support.stack import Stack
from tests.support.waiting import pause

POST = "POST /api/inventory/lookup HTTP/1.1"
BODY = b'{"codes":["A"]}'
INNER = b"GET /internal/journal HTTP/1.1\r\nHost: x\r\n\r\n"

# With two readings, of which one leads where a viewer may not go, or nobody.
PATHS = (
    "//api/users", "/api//users", "/api/users//", "/api/./users", "/./api/users",
    "/api/inventory/../users", "/api/inventory/..", "/api/inventory/%2e%2e/users",
    "/api/inventory/.%2e/users", "/api/inventory/%2E./users", "/api/inventory%2f..%2fusers",
    "/api/inventory/%252e%252e/users", "/api/inventory/%252f", "/api/%75sers", "/%61pi/users",
    "/api/inventory/..;/users", "/api/inventory;/../users", "/api/users;a=b", "/api/users;",
    "/api\\users", "/api/inventory/..\\users", "/api/inventory%5c..%5cusers", "/api/users%00",
    "/api/users%00.css", "/api/inventory/%00", "/api/users%0d%0aX: y", "/api/users%09",
    "/api/inventory/%ff", "/api/inventory/%c0%ae%c0%ae/users", "/api/inventory/%e0%80%ae/x",
    "/internal%2fjournal", "/api/../internal/journal", "/api/inventory/../../internal/journal",
    "/api/%2e%2e/internal/journal", "//internal/journal", "/api/%2e%2e%2finternal%2fjournal",
    "/internal;/journal", "/api/inventory/..%252f..%252finternal/journal", "/api/%uff0e/users",
)  # fmt: skip
# With one reading, where there is nothing for a viewer.
NOWHERE = (
    "/API/users", "/Api/Users", "/api/Users", "/internal", "/internal/", "/internal/journal",
    "/internal/token", "/internal/revocations", "/internal/api-keys/exchange", "/INTERNAL/journal",
    "/metrics", "/api/users.json", "/api", "/.env", "/.git/config", "/secrets.env",
    "/api/users/internal", "/api/inventory/internal/journal", "/openapi.json/internal", "/debug",
)  # fmt: skip

FRAMINGS = (
    ("Content-Length: 5", "Transfer-Encoding: chunked"),
    ("Transfer-Encoding: chunked", "Content-Length: 5"),
    ("Content-Length: 5", "Content-Length: 6"),
    ("Content-Length: 5", "Content-Length: 5"),
    ("Content-Length: 5, 5",), ("Content-Length: +5",), ("Content-Length: -1",),
    ("Content-Length: 0x5",), ("Content-Length: 5 5",), ("Content-Length: \x0b5",),
    ("Content-Length: 99999999999999999999999",), ("Content-Length : 5",),
    ("Transfer-Encoding : chunked",), ("Transfer-Encoding: \x0bchunked",),
    ("Transfer-Encoding: xchunked",), ("Transfer-Encoding: chunked, identity",),
    ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    ("Transfer-Encoding: gzip, chunked",), ("Transfer-Encoding: identity",),
    ("Transfer-Encoding:\r\n chunked",), ("X: a\r\n folded",), ("X: a\rY: b",), ("X: a\nY: b",),
    ("X: a\x00b",), ("X y: a",), (": a",), ("X\x00: a",), ("Host: other",),
)  # fmt: skip
CHUNKS = (
    b"5\nhello\r\n0\r\n\r\n", b"5;a=\nb\r\nhello\r\n0\r\n\r\n", b"0x3\r\nabc\r\n0\r\n\r\n",
    b"3\r\nabcde\r\n0\r\n\r\n", b"3\r\nabcX\r\n0\r\n\r\n", b"-3\r\nabc\r\n0\r\n\r\n",
    b"fffffffffffffffff\r\n", b"3 \r\nabc\r\n0\r\n\r\n", b"\r\n\r\n", b"g\r\n",
)  # fmt: skip
NO_REQUEST = (
    b"GET /api/inventory\r\n\r\n", b"GET /api/inventory HTTP/0.9\r\n\r\n", b"\x16\x03\x01\x02\x00",
    b"GET /api/inventory HTTP/2.0\r\n\r\n", b"GET /api/inventory HTTP/1.1 \r\nHost: a\r\n\r\n",
    b"GET /api/inventory HTTP/1.1\nHost: a\n\n", b"GET /a\xff HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://gateway/api/inventory HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /api/inventory#x HTTP/1.1\r\nHost: a\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET api/inventory HTTP/1.1\r\nHost: a\r\n\r\n", b" GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"get / HTTP/1.1\r\nHost: a\r\n\r\n", b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
)  # fmt: skip


@pytest.fixture
def viewer(world: World) -> Person:
    return world.people["viewer"]


def refused(attack: Attack, heard: Heard, sent: bytes, *statuses: int) -> None:
    """Count what must be answered once, so, and end the connection."""
    held = len(heard.statuses) == 1 and heard.statuses[0] in statuses and heard.is_closed
    attack.note(held, heard.told(sent))


@pytest.mark.asvs("E04")
async def test_paths(attempts, stack: Stack, viewer):
    with attempts.of("paths with two readings") as attack:
        for path in PATHS:
            sent = request(f"GET {path} HTTP/1.1", "Connection: close", token=viewer.access)
            refused(attack, await speak(stack.port("gateway"), sent), sent, 400)
    with attempts.of("paths that lead nowhere") as attack:
        for path in NOWHERE:
            sent = request(f"GET {path} HTTP/1.1", "Connection: close", token=viewer.access)
            refused(attack, await speak(stack.port("gateway"), sent), sent, 401, 403, 404)


@pytest.mark.asvs("E03")
async def test_smuggling(attempts, client, stack: Stack, viewer):
    """Each must have one answer; then another's request must have its own."""
    port = stack.port("gateway")
    with attempts.of("smuggling: framing of a head") as attack:
        for headers in FRAMINGS:
            sent = request(POST, *headers, token=viewer.access) + b"0\r\n\r\n" + INNER
            refused(attack, await speak(port, sent), sent, 400)
            await is_undisturbed(attack, client, viewer)
    with attempts.of("smuggling: chunks of a body") as attack:
        for body in CHUNKS:
            sent = request(POST, "Transfer-Encoding: chunked", token=viewer.access) + body + INNER
            refused(attack, await speak(port, sent), sent, 400)
            await is_undisturbed(attack, client, viewer)
    with attempts.of("smuggling: a request inside a body") as attack:
        length = f"Content-Length: {len(INNER)}"
        sent = request(POST, length, "Connection: close", token=viewer.access) + INNER
        refused(attack, await speak(port, sent), sent, 400, 415, 422)
        get = request("GET /api/inventory HTTP/1.1", length, token=viewer.access) + INNER
        last = request("GET /api/auth/me HTTP/1.1", "Connection: close", token=viewer.access)
        heard = await speak(port, get, last)
        attack.note(404 not in heard.statuses and len(heard.statuses) <= 2, heard.told(get))
    with attempts.of("what is no HTTP/1.1 request for a path") as attack:
        for sent in NO_REQUEST:
            refused(attack, await speak(port, sent), sent, 400, 405, 501)


async def is_undisturbed(attack: Attack, client, viewer: Person) -> None:
    answer = await client.get("/api/auth/me", headers=viewer.headers)
    attack.note(answer.json().get("id") == viewer.id, f"another got {answer.text[:200]}")


@pytest.mark.asvs("E02")
async def test_trailers(attempts, stack: Stack, viewer, world):
    boss = world.attacker.boss.access
    with attempts.of("trailers that would be headers") as attack:
        for trailer in (
            f"Authorization: Bearer {boss}",
            "X-User-Language: fr",
            "X-Gateway-Proof: 1",
        ):
            head = request(
                "POST /api/auth/api-keys HTTP/1.1", "Transfer-Encoding: chunked",
                "Content-Type: application/json", "Trailer: Authorization", token=viewer.access,
            )  # fmt: skip
            wanted = b'{"name":"x","scopes":["user:manage"]}'
            chunk = b"%x\r\n%b\r\n0\r\n%b\r\n\r\n" % (len(wanted), wanted, trailer.encode())
            last = request("GET /api/auth/me HTTP/1.1", "Connection: close", token=viewer.access)
            heard = await speak(stack.port("gateway"), head + chunk, last)
            held = heard.statuses[:1] in ([403], [404], [422]) and b"Bearer" not in heard.data
            whose = viewer.id.encode() in heard.data and b"content-language: fr" not in heard.data
            attack.note(held and whose, heard.told(head + chunk))


@pytest.mark.asvs("E06")
async def test_sizes(attempts, client, stack: Stack, viewer):
    port, token = stack.port("gateway"), viewer.access
    with attempts.of("oversized: bodies") as attack:
        for line, limit in (
            (POST, BODY_LIMIT_BYTES),
            ("POST /api/auth/login HTTP/1.1", SMALL_LIMIT_BYTES),
        ):
            for length in (limit + 1, 2**31, 2**53):
                sent = request(line, f"Content-Length: {length}", token=token)
                refused(attack, await speak(port, sent), sent, 413)
            sent = request(line, "Transfer-Encoding: chunked", token=token)
            chunk = b"%x\r\n%b\r\n" % (limit // 4, b" " * (limit // 4))
            refused(attack, await speak(port, sent, *[chunk] * 6), sent, 413)
        bomb = request(
            POST,
            "Content-Encoding: gzip",
            f"Content-Length: {len(BODY)}",
            "Connection: close",
            token=token,
        )
        refused(attack, await speak(port, bomb + BODY), bomb, 400, 415, 422)
    with attempts.of("oversized: heads and addresses") as attack:
        for headers in (
            [f"X-{n}: 1" for n in range(2_000)], [f"X-{n}: 1" for n in range(101)],
            ["A: " + "x" * 200_000], ["A: " + "x" * 40_000], ["A" * 200_000 + ": x"],
        ):  # fmt: skip
            sent = request("GET /api/inventory HTTP/1.1", *headers, token=token)
            refused(attack, await speak(port, sent), sent, 431)
        for path in ("/api/inventory/" + "x" * 2_048, "/api/inventory?q=" + "x" * 8_193):
            sent = request(f"GET {path} HTTP/1.1", "Connection: close", token=token)
            refused(attack, await speak(port, sent), sent, 414)
        await is_undisturbed(attack, client, viewer)


SLOW = 40  # Of each kind, all at once.
ENDED_WITHIN_S = 40.0  # Ten for a head, fifteen for a route's body, and a busy machine.
OTHERS_WAIT_S = 5.0  # The same: it is some milliseconds.


@pytest.mark.asvs("E07")
async def test_slowness(attempts, client, stack: Stack, viewer):
    """Who sends a byte a second is cut off; meanwhile others are served."""
    port, token = stack.port("gateway"), viewer.access
    heads = b"GET /api/inventory HTTP/1.1\r\nHost: a\r\nX: "
    bodies = request(POST, "Content-Length: 4000", "Content-Type: application/json", token=token)

    async def drip(start: bytes) -> float:
        """Send byte after byte until the other side has enough; return how long it had patience."""
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        writer.write(start)
        reading = asyncio.create_task(reader.read(-1))
        while not reading.done() and time.monotonic() < began + 2 * ENDED_WITHIN_S:
            writer.write(b"a")
            await pause(1)
        reading.cancel()
        writer.close()
        return time.monotonic() - began

    with attempts.of("slow heads and bodies, many at once") as attack:
        slow = [asyncio.create_task(drip(start)) for start in [heads, bodies] * SLOW]
        while not all(task.done() for task in slow):
            began = time.monotonic()
            answer = await client.get("/api/inventory", headers=viewer.headers)
            took_s = time.monotonic() - began
            attack.note(
                answer.is_success and took_s < OTHERS_WAIT_S, f"another waited {took_s:.1f} s"
            )
            await pause(0.5)
        for task in slow:
            attack.note(task.result() < ENDED_WITHIN_S, f"had patience for {task.result():.0f} s")
