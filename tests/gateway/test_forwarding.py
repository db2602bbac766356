"""What passes between a client and a service, and what does not."""

import re
from uuid import uuid4

import pytest
from pydantic import SecretStr

from shared.security.gateway_proof import GatewayProof
from tests.support.gateway import BULK, House, ok
from tests.support.through_gateway import GATEWAY_KEY


async def test_a_request_reaches_its_service_and_the_answer_its_caller(house: House):
    house.inventory.respond = lambda _: ok(b'{"items": []}', "content-type: application/json")

    answer = await house.get("/api/inventory?limit=5&q=caf%C3%A9")

    assert (answer.status_code, answer.json()) == (200, {"items": []})
    (received,) = house.inventory.received
    assert received.line == "GET /api/inventory?limit=5&q=caf%C3%A9 HTTP/1.1"
    assert received.all("authorization") == [f"Bearer {house.token}"]
    assert received.all("host") == [f"127.0.0.1:{house.inventory.port}"]


@pytest.mark.parametrize("size", [0, 1, 1_000, 65_536, 65_537, 3_000_000])
async def test_bodies_pass_whole_in_both_directions(house: House, size):
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    house.inventory.respond = lambda request: ok(request.body)

    answer = await house.call("POST", BULK, content=body)

    assert answer.content == body
    assert house.inventory.received[0].all("content-length") == [str(size)]


async def test_a_chunked_body_passes_whole(house: House):
    async def parts():
        for size in (1, 70_000, 200_000, 5):
            yield b"y" * size

    house.inventory.respond = lambda request: ok(request.body)

    answer = await house.call("POST", BULK, content=parts())

    assert answer.content == b"y" * 270_006
    assert house.inventory.received[0].all("transfer-encoding") == ["chunked"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_the_api_has_seven_methods(house: House, method):
    assert (await house.call(method, "/api/inventory")).status_code == 200
    assert house.inventory.received[0].line == f"{method} /api/inventory HTTP/1.1"


@pytest.mark.asvs("E08")
@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "FOO", "get", "Post"])
async def test_other_methods_reach_nobody(house: House, method):
    line = f"{method} /api/inventory HTTP/1.1"

    answer = await house.raw(house.request("Connection: close", line=line))

    assert re.match(rb"HTTP/1.1 (400|405) ", answer)
    assert b"application/problem+json" in answer
    assert not house.inventory.received


@pytest.mark.asvs("E08")
@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
async def test_no_header_overrides_the_method(house: House, name):
    await house.call("POST", "/api/inventory", headers={name: "DELETE"})

    (received,) = house.inventory.received
    assert received.line.startswith("POST ")
    assert name.lower() not in received.names()


FORGED = [
    "X-User-Id: admin", "x-roles: admin", "X-ROLE: admin", "X-Internal-Auth: yes",
    "X-Tenant: 1", "x_user_id: admin", "X_User-Id: admin", "Remote_User: admin",
    "Remote-User: admin", "Forwarded: for=1.2.3.4", "X-Real-IP: 1.2.3.4", "Client-IP: 1.2.3.4",
    "True-Client-IP: 1.2.3.4", "CF-Connecting-IP: 1.2.3.4", "X-Original-URL: /internal/x",
    "X-Rewrite-URL: /internal/x", "Via: 1.1 me", "Cookie: session=1", "Early-Data: 1",
]  # fmt: skip


@pytest.mark.asvs("E01")
async def test_no_forged_identity_reaches_a_service(house: House):
    await house.raw(house.request(*FORGED, *FORGED, "Connection: close"))

    (received,) = house.inventory.received
    assert received.names() == {
        "host", "authorization", "x-request-id", "traceparent", "x-request-timeout",
        "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-gateway-proof",
    }  # fmt: skip


@pytest.mark.asvs("E01", "E05")
async def test_a_service_is_told_by_proof_whence_a_request_comes(house: House):
    """Of the request as it arrives there, id and target included; a forged one does not pass."""
    await house.raw(
        house.request(
            "X-Gateway-Proof: forged", "Connection: close, x-gateway-proof", "X-Request-ID: a~b",
            line="GET /api/inventory?limit=5 HTTP/1.1",
        )
    )  # fmt: skip

    (received,) = house.inventory.received
    (proof,) = received.all("x-gateway-proof")
    assert received.all("x-request-id") == ["a~b"]
    client = GatewayProof(SecretStr(GATEWAY_KEY)).check(
        proof.encode(), b"a~b", b"GET", b"/api/inventory?limit=5"
    )
    assert client == "127.0.0.1"


@pytest.mark.asvs("E01")
async def test_where_a_request_comes_from_is_the_gateways_word(house: House):
    forged = ("X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil")

    await house.raw(house.request(*forged, *forged, "Connection: close"))

    (received,) = house.inventory.received
    assert received.all("x-forwarded-for") == ["127.0.0.1"]
    assert received.all("x-forwarded-proto") == ["http"]
    assert received.all("x-forwarded-host") == ["gateway"]


@pytest.mark.asvs("E05")
async def test_hop_by_hop_headers_and_those_that_connection_names_stay_here(house: House):
    await house.raw(
        house.request(
            "Connection: close, Accept-Language, X-Request-ID, Authorization, X-Forwarded-For",
            "Accept-Language: fr", "Keep-Alive: 5", "TE: trailers", "Proxy-Authorization: x",
            "Proxy-Connection: close", "Upgrade: h2c", "Trailer: X-User-Id", "HTTP2-Settings: x",
            "User-Agent: probe",
        )
    )  # fmt: skip

    (received,) = house.inventory.received
    assert received.names() == {
        "host", "authorization", "user-agent", "x-request-id", "traceparent",
        "x-request-timeout", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
        "x-gateway-proof",
    }  # fmt: skip


async def test_useful_headers_pass(house: House):
    sent = {
        "Accept": "text/csv", "Accept-Language": "fr-CA;q=0.8, en;q=0.5", "If-Match": '"3"',
        "Content-Type": "application/json", "Idempotency-Key": str(uuid4()), "Range": "bytes=0-9",
    }  # fmt: skip

    await house.call("POST", "/api/inventory", headers=sent, content=b"{}")

    (received,) = house.inventory.received
    assert {name: received.all(name.lower()) for name in sent} == {n: [v] for n, v in sent.items()}


async def test_of_an_answers_headers_those_for_the_client_pass(house: House):
    house.inventory.respond = lambda _: ok(
        b"{}", "content-type: application/json", 'etag: "1"', "location: /api/inventory/1",
        "cache-control: private", "server: uvicorn", "x-powered-by: x", "date: yesterday",
        "connection: keep-alive, x-secret", "x-secret: 1", "keep-alive: 5", "set-cookie: a=b",
        "access-control-allow-origin: *", "strict-transport-security: max-age=0",
        "content-security-policy: default-src *", "x-request-id: other", "retry-after: 3",
    )  # fmt: skip

    headers = (await house.get("/api/inventory")).headers

    assert headers["etag"] == '"1"'
    assert headers["location"] == "/api/inventory/1"
    assert headers["retry-after"] == "3"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["strict-transport-security"].startswith("max-age=63072000")
    assert len(headers.get_list("x-request-id")) == len(headers.get_list("date")) == 1
    for name in ("server", "x-powered-by", "x-secret", "keep-alive", "set-cookie",
                 "access-control-allow-origin", "connection"):  # fmt: skip
        assert name not in headers


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "500 Oops", "304 Not Modified"])
async def test_the_status_passes(house: House, status):
    house.inventory.respond = lambda _: ok(b"", status=status)

    assert (await house.get("/api/inventory")).status_code == int(status[:3])


async def test_no_content_has_no_length(house: House):
    house.inventory.respond = lambda _: b"HTTP/1.1 204 No Content\r\n\r\n"

    answer = await house.call("DELETE", "/api/inventory/1")

    assert answer.status_code == 204
    assert "content-length" not in answer.headers
    assert "transfer-encoding" not in answer.headers
    assert (await house.call("DELETE", "/api/inventory/1")).status_code == 204
    assert house.inventory.connections <= 1


async def test_head_answers_with_the_length_and_keeps_the_connection(house: House):
    house.inventory.respond = lambda request: (
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n" + b"hello" * request.line.startswith("GET")
    )

    for _ in range(3):
        answer = await house.call("HEAD", "/api/inventory")
        assert (answer.headers["content-length"], answer.content) == ("5", b"")
        assert (await house.get("/api/inventory")).content == b"hello"


async def test_request_ids_are_kept_or_made(house: House):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    given = await house.get(
        "/api/inventory", headers={"X-Request-ID": "abc-1.2_3", "traceparent": trace}
    )
    made = await house.get("/api/inventory")

    first, second = house.inventory.received
    assert first.all("x-request-id") == [given.headers["x-request-id"]] == ["abc-1.2_3"]
    assert first.all("traceparent") == [given.headers["traceparent"]] == [trace]
    assert second.all("x-request-id") == [made.headers["x-request-id"]]
    assert re.fullmatch(r"[0-9a-f]{32}", made.headers["x-request-id"])
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", made.headers["traceparent"])


@pytest.mark.parametrize("bad", ["", "a b", "x" * 65, "é", "<script>", "a;b", "${jndi}"])
async def test_a_senseless_request_id_is_replaced(house: House, bad):
    await house.raw(
        house.request(f"X-Request-ID: {bad}", f"traceparent: {bad}", "Connection: close")
    )

    (received,) = house.inventory.received
    assert re.fullmatch(r"[0-9a-f]{32}", received.all("x-request-id")[0])
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", received.all("traceparent")[0])


async def test_the_service_learns_how_much_time_it_has(house: House):
    """As a span: a gateway whose clock is wrong must not make a service give up."""
    await house.get("/api/inventory")

    assert 14 < float(house.inventory.received[0].all("x-request-timeout")[0]) <= 15


async def test_internal_and_unknown_paths_reach_nobody(house: House):
    for path in ("/internal/journal", "/internal", "/api", "/api/unknown", "/api/inventoryx",
                 "/health/x", "/metricsx", "/API/inventory", "/api/ai2"):  # fmt: skip
        answer = await house.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert not house.inventory.received


async def test_each_prefix_goes_to_its_service(house: House):
    for path in ("/api/reports/abc", "/api/dashboard/stats"):
        await house.get(path)
    for path in ("/api/locations", "/api/orders/1", "/api/suppliers"):
        await house.get(path)

    assert [r.line.split(" ")[1] for r in house.reporting.received] == [
        "/api/reports/abc", "/api/dashboard/stats",
    ]  # fmt: skip
    assert len(house.inventory.received) == 3
