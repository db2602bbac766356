"""Who may pass, and what everybody else is told."""

import time
from uuid import uuid4

import pytest

from gateway import metrics, revocations
from shared import scim
from shared.principal import MACHINE
from shared.security.claims import ServiceClaims
from tests.support.gateway import ORIGIN, SIGNER, House, gateway_settings, make_token, ok
from tests.support.waiting import eventually


async def test_without_a_token_nobody_passes(house: House):
    answer = await house.client.get("/api/inventory")

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert not house.inventory.received


async def test_a_directory_is_refused_in_the_form_that_it_knows(house: House):
    answer = await house.client.get("/api/scim/v2/Users?lang=fr")

    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/scim+json")
    assert answer.headers["www-authenticate"] == "Bearer"
    body = answer.json()
    assert body.keys() == {"schemas", "status", "detail"}
    assert (body["schemas"], body["status"]) == ([scim.ERROR], "401")
    assert "jeton" in body["detail"]


def service_token() -> str:
    now = int(time.time())
    return SIGNER.sign(
        ServiceClaims(
            sub="inventory", target="auth", jti=uuid4(), iat=now, exp=now + 60, scopes=frozenset()
        )
    )


@pytest.mark.parametrize(
    "authorization",
    ["Bearer x", "Bearer a.b.c", f"Bearer {service_token()}", f"Bearer  {make_token()}",
     f"Bearer {make_token(exp=int(time.time()) - 1)}", f"Bearer {make_token()}="],
)  # fmt: skip
async def test_no_other_token_passes(house: House, authorization):
    headers = {"Authorization": authorization.encode()}

    answer = await house.client.get("/api/inventory", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert not house.inventory.received


async def test_the_scheme_is_case_insensitive(house: House):
    headers = {"Authorization": f"bEARER {house.token}"}

    assert (await house.client.get("/api/inventory", headers=headers)).status_code == 200


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/register", "/api/auth/refresh"])
async def test_signing_in_needs_no_token(house: House, path):
    assert (await house.client.post(path, json={})).status_code == 200


async def test_the_public_keys_need_no_token(house: House):
    answer = await house.client.get("/.well-known/jwks.json")

    assert answer.json()["keys"][0]["kid"] == SIGNER.kid


async def test_other_paths_of_auth_need_one(house: House):
    for path in ("/api/auth/me", "/api/auth/login2", "/api/auth", "/api/users"):
        assert (await house.client.get(path)).status_code == 401


async def test_a_route_may_need_a_scope(house: House):
    refused = await house.get("/api/audit")
    house.token = make_token(scopes=frozenset({"audit:read"}))
    passed = await house.get("/api/audit")

    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    assert refused.json()["scope"] == "audit:read"
    assert passed.status_code == 200


@pytest.mark.parametrize("methods", [("pwd", "otp"), (MACHINE,)])
async def test_auth_learns_whom_the_door_refuses(house: House, methods: tuple[str, ...]):
    user, session, tenant = uuid4(), uuid4(), uuid4()
    house.token = make_token(sub=user, sid=session, tid=tenant, amr=methods)

    refused = await house.call("POST", "/api/users/x/lock")

    assert refused.status_code == 403
    assert await eventually(lambda: house.auth.denials) == [
        {
            "tenant_id": str(tenant),
            "actor": f"key:{session}" if MACHINE in methods else f"user:{user}",
            "request_id": refused.headers["x-request-id"],
            "route": "POST /api/users",
            "needed": "user:manage",
        }
    ]


async def test_a_refusal_stands_whatever_becomes_of_its_report(house: House):
    house.auth.respond = lambda _: ok(status="500 Internal Server Error")

    answers = [await house.get("/api/audit") for _ in range(40)]

    assert {answer.status_code for answer in answers} == {403}


async def comes_to_be_refused(house: House, token: str) -> bool:
    """Say whether a token comes to be refused; what never is fails here."""
    house.token = token

    async def is_refused() -> bool:
        return (await house.get("/api/inventory")).status_code == 401

    return bool(await eventually(is_refused))


async def has_asked_again(house: House) -> None:
    """Return when the gateway has taken in an answer of auth that is given from now on."""

    def asked() -> int:
        return sum(revocations.PATH in request.line for request in house.auth.received)

    before = asked()
    await eventually(lambda: asked() >= before + 2)  # One is read before the next is asked for.


def test_revocations_are_asked_for_often_enough_to_hold_within_a_second():
    assert revocations.INTERVAL_S <= 0.5


async def test_an_ended_session_is_refused(house: House):
    sid = uuid4()
    token = make_token(sid=sid)
    house.token = token
    assert (await house.get("/api/inventory")).status_code == 200

    house.auth.sessions.append(str(sid))

    assert await comes_to_be_refused(house, token)


async def test_a_raised_token_version_is_refused(house: House):
    sub = uuid4()
    token = make_token(sub=sub, ver=4)
    house.token = token
    assert (await house.get("/api/inventory")).status_code == 200

    house.auth.versions[str(sub)] = 5

    assert await comes_to_be_refused(house, token)
    house.token = make_token(sub=sub, ver=5)
    assert (await house.get("/api/inventory")).status_code == 200


async def test_when_auth_is_away_known_keys_and_revocations_hold(house: House):
    sid = uuid4()
    house.auth.sessions.append(str(sid))
    assert await comes_to_be_refused(house, make_token(sid=sid))
    house.auth.respond = lambda _: ok(b"broken", status="500 Broken")
    await has_asked_again(house)

    answer = await house.get("/api/inventory")
    house.token = make_token()

    assert answer.status_code == 401
    assert (await house.get("/api/inventory")).status_code == 200


@pytest.fixture
def stale(running_house, monkeypatch):
    """Auth hangs, and its last list is so many seconds old."""

    def grown(age_s: float) -> None:
        revocations = running_house.gateway._revocations
        monkeypatch.setattr(running_house.auth, "respond", lambda _: ok(status="500 Broken"))
        monkeypatch.setattr(revocations, "_clock", lambda: time.monotonic() + age_s)

    return grown


FIXED = ("revocations_stale", "5")


@pytest.mark.asvs("C08", "C19")
async def test_while_sign_outs_are_not_known_nothing_changes_and_reading_goes_on(house, stale):
    house.token = make_token(scopes=frozenset({"user:manage", "audit:read", "inventory:read"}))
    stale(revocations.STALE_AFTER_S)

    for method, path in [
        ("POST", "/api/inventory/movements"), ("DELETE", "/api/inventory/1"),
        ("PATCH", "/api/auth/me"), ("GET", "/api/users"), ("GET", "/api/audit"), ("GET", "/status"),
    ]:  # fmt: skip
        answer = await house.call(method, path)
        found = (answer.json().get("code"), answer.headers.get("retry-after"))
        assert (answer.status_code, *found) == (503, *FIXED), path
    assert (await house.get("/api/inventory")).status_code == 200
    assert (await house.call("POST", "/api/inventory/lookup")).status_code == 200
    assert (await house.client.post("/api/auth/login")).status_code == 500  # Auth's own answer.


@pytest.mark.asvs("C08", "C19")
async def test_what_is_known_of_sign_outs_is_not_read_by_for_ever(house, stale):
    stale(revocations.READS_FOR_S)

    answer = await house.get("/api/inventory")

    assert (answer.status_code, answer.json()["code"]) == (503, "revocations_stale")
    assert "revocations_age_seconds 30" in (await metrics.text())[0].decode()


async def test_a_senseless_list_of_revocations_changes_nothing(house: House):
    sid = uuid4()
    house.auth.sessions.append(str(sid))
    token = make_token(sid=sid)
    assert await comes_to_be_refused(house, token)
    house.auth.respond = lambda _: ok(b'{"sessions": [7], "versions": []}')
    await has_asked_again(house)

    assert (await house.get("/api/inventory")).status_code == 401


LANGUAGES = [
    ({}, "", "en", "Sign-in needed"),
    ({"Accept-Language": "fr"}, "", "fr", "Connexion requise"),
    ({"Accept-Language": "fr-CA;q=0.8, en;q=0.5"}, "", "fr", "Connexion requise"),
    ({"Accept-Language": "fr;q=0.4, en;q=0.5"}, "", "en", "Sign-in needed"),
    ({"Accept-Language": "de, *;q=0.1"}, "", "en", "Sign-in needed"),
    ({"Accept-Language": "en"}, "?limit=3&lang=fr", "fr", "Connexion requise"),
    ({"Accept-Language": "fr"}, "?lang=en", "en", "Sign-in needed"),
    ({"Accept-Language": "fr"}, "?xlang=en", "fr", "Connexion requise"),
]


@pytest.mark.parametrize(("headers", "query", "language", "title"), LANGUAGES)
async def test_problems_are_told_in_the_callers_language(house, headers, query, language, title):
    answer = await house.client.get(f"/api/inventory{query}", headers=headers)

    assert answer.headers["content-language"] == language
    assert "Accept-Language" in answer.headers["vary"]
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["type"] == "/problems/unauthorized"
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["title"] == title


async def test_the_users_own_language_counts_when_nothing_is_asked_for(house: House):
    house.token = make_token(lang="fr")

    answer = await house.get("/api/ai/models/list")

    assert answer.headers["content-language"] == "fr"


async def test_a_refusal_for_want_of_a_scope_is_told_in_the_users_own_language(house: House):
    house.token = make_token(lang="fr")

    answer = await house.get("/api/audit")

    assert (answer.status_code, answer.headers["content-language"]) == (403, "fr")


async def test_a_language_chosen_since_counts_without_a_new_token(house: House):
    sub = uuid4()
    house.token = make_token(sub=sub, lang="en")

    house.auth.languages[str(sub)] = "fr"

    async def is_french():
        return (await house.get("/api/ai/models/list")).headers["content-language"] == "fr"

    await eventually(is_french)
    await house.get("/api/inventory")
    assert house.inventory.received[-1].all("x-user-language") == ["fr"]


async def test_the_users_language_is_the_gateways_word(house: House):
    house.token = make_token(lang="fr")

    await house.get("/api/inventory", headers={"X-User-Language": "en"})
    house.token = make_token()
    await house.get("/api/inventory", headers={"X-User-Language": "en"})

    told = [received.all("x-user-language") for received in house.inventory.received]
    assert told == [["fr"], []]


SECURITY = {
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}


@pytest.mark.asvs("E09")
async def test_every_answer_carries_the_security_headers(house: House):
    house.inventory.respond = lambda request: ok(
        b"{}", status="500 Oops" if "500" in request.line else "200 OK"
    )
    answers = [
        await house.get("/api/inventory"),
        await house.get("/api/inventory/500"),
        await house.client.get("/api/inventory"),
        await house.get("/api//x"),
        await house.get("/api/ai"),
        await house.get("/nothing"),
        await house.call("OPTIONS", "/api/inventory"),
        await house.call("POST", "/api/auth/login", content=b"x" * 20_000),
        await house.get("/health"),
        await house.get("/metrics"),
        await house.client.options(
            "/api/inventory", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
        ),
    ]
    raw = await house.raw(b"garbage\r\n\r\n")

    for answer in answers:
        if answer.status_code != 204:
            assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY
        assert "server" not in answer.headers
    for name, value in SECURITY.items():
        assert f"{name}: {value}".encode() in raw


@pytest.mark.asvs("E10")
async def test_pages_of_a_listed_origin_may_call(house: House):
    answer = await house.get("/api/inventory", headers={"Origin": ORIGIN})
    refused = await house.client.get("/api/inventory", headers={"Origin": ORIGIN})

    for each in (answer, refused):
        assert each.headers["access-control-allow-origin"] == ORIGIN
        assert "access-control-allow-credentials" not in each.headers
        assert "Origin" in each.headers["vary"]


@pytest.mark.asvs("E10")
@pytest.mark.parametrize(
    "origin",
    ["null", "*", "https://shop.example.evil", "https://evilshop.example", "http://shop.example",
     "https://shop.example:8443", "https://shop.example/", "HTTPS://SHOP.EXAMPLE",
     "https://sub.shop.example", ""],
)  # fmt: skip
async def test_pages_of_other_origins_may_not(house: House, origin):
    question = {"Origin": origin, "Access-Control-Request-Method": "POST"}

    answer = await house.get("/api/inventory", headers={"Origin": origin})
    preflight = await house.client.options("/api/inventory", headers=question)

    assert "access-control-allow-origin" not in answer.headers
    assert "Origin" in answer.headers["vary"]
    assert (preflight.status_code, preflight.json()["code"]) == (403, "origin_refused")
    assert "access-control-allow-origin" not in preflight.headers


@pytest.mark.asvs("E10")
async def test_a_preflight_needs_no_token_and_reaches_nobody(house: House):
    answer = await house.client.options(
        "/api/inventory",
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, idempotency-key",
        },
    )

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "Idempotency-Key" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-max-age"] == "600"
    assert not house.inventory.received


@pytest.mark.parametrize("origins", ["*", "https://*.example", "shop.example", "https://a/b"])
def test_the_list_of_origins_holds_exact_ones_only(origins):
    with pytest.raises(ValueError, match="is no origin"):
        gateway_settings(allowed_origins=origins)
