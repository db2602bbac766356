"""What is said of oneself in headers, and what of the system is open beside the gateway."""

import time
from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr

from shared.security.gateway_proof import GatewayProof
from tests.attack.wire import request, speak
from tests.attack.world import ORIGIN, Client, World, client_from
from tests.support.stack import Stack
from tests.support.through_gateway import prove

SERVICES = {
    "auth": "/api/auth/me", "inventory": "/api/inventory", "forecasting": "/api/ai/jobs",
    "reporting": "/api/dashboard/stats",
}  # fmt: skip
WORKER_OFFSET = 10
FORGED = {
    "X-User-Id": "00000000-0000-0000-0000-000000000001", "X-Tenant-Id": "default",
    "X-Roles": "admin", "X-Scopes": "user:manage", "X-User-Language": "fr",
    "X-Gateway-Proof": "1 127.0.0.1 " + "0" * 64, "X-Internal-Auth": "1", "x_user_id": "1",
    "X_Gateway_Proof": "1", "X-Request-Timeout": "0", "X-HTTP-Method-Override": "DELETE",
    "X-Original-URL": "/api/users", "X-Rewrite-URL": "/internal/journal", "X-Forwarded-Host": "x",
    "X-Forwarded-Proto": "http", "X-Forwarded-Prefix": "/internal", "Forwarded": "for=1.2.3.4",
    "Via": "1.1 x", "Cookie": "session=admin", "Remote-User": "admin", "True-Client-IP": "1.2.3.4",
}  # fmt: skip


@pytest.mark.asvs("E01", "E05")
async def test_forged_headers(attempts, client, stack: Stack, world: World):
    viewer, port = world.people["viewer"], stack.port("gateway")
    plain = await client.get("/api/auth/me", headers=viewer.headers)
    with attempts.of("forged headers: who one is") as attack:
        for name, value in FORGED.items():
            for spelled in (name, name.lower(), name.upper()):
                more = {spelled: value}
                answer = await client.get("/api/auth/me", headers=viewer.headers | more)
                same = answer.json() == plain.json() and answer.status_code == 200
                language = answer.headers.get("content-language") == "en"
                attack.note(same and language, f"{more} -> {answer.status_code} {answer.text[:99]}")
                refused = await client.get("/api/users", headers=viewer.headers | more)
                attack.expect(refused, 403, what=str(more))
                attack.expect(await client.get("/api/auth/me", headers=more), 401, what=str(more))
    with attempts.of("forged headers: twice, and named in Connection") as attack:
        twice = request(
            "GET /api/auth/me HTTP/1.1", f"Authorization: Bearer {world.attacker.boss.access}",
            "Connection: close", token=viewer.access,
        )  # fmt: skip
        heard = await speak(port, twice)
        attack.note(heard.statuses == [400], heard.told(twice))
        for named in ("authorization", "x-gateway-proof", "x-request-id", "x-user-language"):
            sent = request(
                "GET /api/auth/me HTTP/1.1", f"Connection: close, {named}", token=viewer.access
            )
            heard = await speak(port, sent)
            held = heard.statuses == [200] and viewer.id.encode() in heard.data
            attack.note(held, heard.told(sent))


@pytest.mark.asvs("E01", "E11")
async def test_forged_addresses(attempts, stack: Stack, world: World, hosts: Iterator[str]):
    """The session tells from where its owner came: the gateway's word, whatever he says."""
    viewer = world.people["viewer"]
    with attempts.of("forged headers: from where one comes") as attack:
        for name in (
            "X-Forwarded-For",
            "X-Real-IP",
            "Forwarded",
            "X-Client-IP",
            "CF-Connecting-IP",
        ):
            host = next(hosts)
            async with client_from(stack.url, host) as client:
                forged = {name: "for=203.0.113.9" if name == "Forwarded" else "203.0.113.9"}
                answer = await client.post(
                    "/api/auth/login", json=viewer.credentials, headers=forged
                )
                headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
                listed = (await client.get("/api/auth/sessions", headers=headers)).json()["items"]
                own = next(session for session in listed if session["current"])
                attack.note(own["address"] == host, f"{forged} -> {own['address']}")


def proofs(key: str, path: str) -> Iterator[tuple[str, str]]:
    """Give proofs of a request that are none for this one."""
    good, own = GatewayProof(SecretStr(key)), GatewayProof(SecretStr("00" * 32))
    for what, maker, method, target in (
        ("of another key", own, b"GET", path.encode()),
        ("of another method", good, b"POST", path.encode()),
        ("of another path", good, b"GET", b"/api/nothing"),
        ("of another query", good, b"GET", path.encode() + b"?a=1"),
    ):
        yield what, maker.make(b"127.0.0.1", b"", method, target).decode()
    proof = good.make(b"127.0.0.1", b"another", b"GET", path.encode()).decode()
    yield "of another request", proof
    yield "empty", ""
    yield "without its end", proof[:-65]


def proofs_of_other_times(key: str, path: str) -> Iterator[tuple[str, str]]:
    for what, by_s in (("two minutes old", -120), ("of two minutes hence", 120)):
        maker = GatewayProof(SecretStr(key), clock=lambda by_s=by_s: time.time() + by_s)
        yield what, maker.make(b"127.0.0.1", b"", b"GET", path.encode()).decode()


@pytest.mark.asvs("C08", "E01")
async def test_services_without_the_gateway(attempts, stack: Stack, world: World):
    boss, key = world.attacker.boss, str(stack.secrets["GATEWAY_KEY"])
    with attempts.of("direct: a service's own port, and a worker's") as attack:
        for service, path in SERVICES.items():
            for port in (int(stack.port(service)), int(stack.port(service)) + WORKER_OFFSET):
                base = f"http://127.0.0.1:{port}"
                async with Client(base_url=base, headers=boss.headers) as direct:
                    for asked in (path, "/status"):
                        attack.expect(await direct.get(asked), 403, code="gateway_only")
                        for what, proof in proofs(key, asked):
                            answer = await direct.get(asked, headers={"X-Gateway-Proof": proof})
                            attack.expect(answer, 403, code="gateway_only", what=what)
                        for what, proof in proofs_of_other_times(key, asked):
                            answer = await direct.get(asked, headers={"X-Gateway-Proof": proof})
                            attack.expect(answer, 503, code="clocks_apart", what=what)
                    attack.expect(await direct.get("/internal/journal"), 401, 404)
                    attack.expect(await direct.get("/metrics"), 401)
    with attempts.of("direct: with a proof, but no right") as attack:
        viewer = world.people["viewer"]

        async def prove_each(sent: httpx.Request) -> None:
            prove(sent, key=key)

        for service, path in (("auth", "/api/users"), ("reporting", "/api/audit")):
            base, hooks = f"http://127.0.0.1:{stack.port(service)}", {"request": [prove_each]}
            async with Client(base_url=base, event_hooks=hooks) as inside:
                attack.expect(await inside.get(path), 401)
                answer = await inside.get(path, headers=viewer.headers)
                attack.expect(answer, 403, code="missing_scope")


@pytest.mark.asvs("F14")
async def test_what_is_not_for_everybody(attempts, client, stack: Stack, world: World):
    boss = world.attacker.boss
    with attempts.of("open to nobody: metrics, status, internal paths") as attack:
        for headers in ({}, boss.headers, {"Authorization": "Bearer metrics"}):
            attack.expect(await client.get("/metrics", headers=headers), 401, 404)
            attack.expect(await client.get("/status", headers=headers), 401, 403)
            for path in ("journal", "token", "revocations", "api-keys/exchange", "recommendations"):
                for method in ("GET", "POST"):
                    answer = await client.request(method, f"/internal/{path}", headers=headers)
                    attack.expect(answer, 404)
        secret = {"client_id": "gateway", "client_secret": stack.secrets["GATEWAY_CLIENT_SECRET"]}
        attack.expect(await client.post("/internal/token", json=secret), 404)


@pytest.mark.asvs("E10")
async def test_pages_of_other_sites(attempts, client, world: World):
    headers = world.people["viewer"].headers
    origins = (
        "https://evil.example", "null", f"{ORIGIN}.evil.example", "https://evil-shop.example",
        ORIGIN.replace("https", "http"), f"{ORIGIN}:8443", f"{ORIGIN}/", ORIGIN.upper(),
        "https://shop.example@evil.example", "*", "file://", f"{ORIGIN} {ORIGIN}",
    )  # fmt: skip
    with attempts.of("other sites' pages") as attack:
        for origin in origins:
            sent = headers | {"Origin": origin}
            answer = await client.get("/api/auth/me", headers=sent)
            allowed = answer.headers.get("access-control-allow-origin")
            attack.note(allowed is None, f"{origin} is let in: {allowed}")
            asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
            before = await client.options("/api/auth/me", headers=asked)
            allowed = before.headers.get("access-control-allow-origin")
            attack.note(before.status_code == 403 and allowed is None, f"{origin}: {before}")
        listed = await client.get("/api/auth/me", headers=headers | {"Origin": ORIGIN})
        told = {name: value for name, value in listed.headers.items() if "access-control" in name}
        attack.note(told["access-control-allow-origin"] == ORIGIN, str(told))
        attack.note("access-control-allow-credentials" not in told, str(told))
        attack.note("Origin" in listed.headers.get("vary", ""), "no Vary: Origin")


@pytest.mark.asvs("E09")
async def test_headers_of_every_kind_of_answer(attempts, client, world: World):
    viewer = world.people["viewer"].headers
    answers = [
        await client.get("/api/auth/me", headers=viewer),
        await client.get("/api/auth/me"),
        await client.get("/api/users", headers=viewer),
        await client.get("/api/nothing", headers=viewer),
        await client.get("/api//nothing"),
        await client.get("/internal/journal"),
        await client.options("/api/auth/me", headers=viewer),
        await client.post("/api/auth/login", json={}),
        await client.post("/api/auth/login", content=b"x" * 20_000),
        await client.request("TRACE", "/"),
        await client.get("/docs"),
        await client.get("/health"),
    ]
    with attempts.of("security headers of every kind of answer") as attack:
        for answer in answers:
            told, where = answer.headers, f"{answer.request.url.path} {answer.status_code}"
            attack.note("max-age=63072000" in told.get("strict-transport-security", ""), where)
            attack.note(told.get("x-content-type-options") == "nosniff", where)
            attack.note(told.get("x-frame-options") == "DENY", where)
            attack.note(told.get("referrer-policy") == "no-referrer", where)
            attack.note(not {"server", "x-powered-by", "set-cookie"} & {*told}, where)
            policy = told.get("content-security-policy", "")
            attack.note(
                "default-src 'none'" in policy and "frame-ancestors 'none'" in policy, where
            )
            attack.note("unsafe" not in policy and "*" not in policy, f"{where}: {policy}")
            attack.note("://" not in policy, f"{where}: {policy}")
            kept = told.get("cache-control", "")
            attack.note(not answer.request.url.path.startswith("/api") or "no-store" in kept, where)


@pytest.mark.asvs("C17")
async def test_nothing_is_kept_in_cookies(attempts, client, world: World):
    """No answer sets one, and no request is known by one: so no other site's page can send it."""
    viewer = world.people["viewer"]
    with attempts.of("cookies: none is set, none is heeded") as attack:
        for path, body in (
            ("/api/auth/login", viewer.credentials),
            ("/api/auth/refresh", {"refresh_token": viewer.refresh}),
        ):
            answer = await client.post(path, json=body)
            attack.note(answer.is_success and "set-cookie" not in answer.headers, path)
        for name in ("access_token", "token", "session", "Authorization", "refresh_token"):
            for value in (viewer.access, f"Bearer {viewer.access}", viewer.refresh):
                answer = await client.get("/api/auth/me", headers={"Cookie": f"{name}={value}"})
                attack.expect(answer, 401, what=name)
