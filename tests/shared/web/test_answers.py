"""How every service answers: problems, languages, request ids, deadlines, odd bodies."""

from uuid import uuid4

import pytest

from shared.errors import (
    DeadlineExceeded,
    LocationNotAllowed,
    MethodNotAllowed,
    MissingScope,
    NotFound,
    Problem,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
    ValidationFailed,
    ValueOutOfRange,
)
from shared.web.problems import DatabaseFrozen
from tests.shared.web.shop import FAILURES
from tests.support.services import Caller, assert_problem, service_headers
from tests.support.through_gateway import SCRAPER

pytestmark = pytest.mark.stack
NOTES, DIRECT, TREES = "/api/shop/notes", "/api/shop/direct", "/api/shop/trees"


async def post(shop, path, body: bytes, caller=None, content_type="application/json"):
    headers = (caller or Caller()).headers(**{"Content-Type": content_type})
    return await shop.post(path, content=body, headers=headers)


@pytest.mark.asvs("F09")
@pytest.mark.parametrize("kind", [*FAILURES, "sql"])
async def test_whatever_fails_is_told_without_its_inside(shop, caller, kind):
    response = await shop.get(f"/api/shop/failures/{kind}", headers=caller.headers())

    away = {"away", "pool", "shutdown", "cancelled", "crashed", "ending", "unserial", "timeout"}
    expected = DatabaseFrozen if kind == "frozen" else Unavailable if kind in away else Problem
    assert_problem(response, expected)
    for inside in ("canary", "Traceback", "SELECT", "Error", "nothing_there"):
        assert inside not in response.text


@pytest.mark.parametrize("how", ["numeric", "smallint", "uuid", "date", "driver"])
async def test_a_value_that_only_the_database_refuses_is_the_senders(shop, caller, how, capfd):
    response = await shop.get(
        f"/api/shop/stored?how={how}&value=8877665544332211", headers=caller.headers()
    )

    assert_problem(response, ValueOutOfRange)
    logged = "".join(capfd.readouterr())
    assert "8877665544332211" not in response.text + logged


async def test_a_fault_of_ours_in_the_database_stays_one(shop, caller):
    response = await shop.get("/api/shop/stored?how=zero", headers=caller.headers())

    assert_problem(response, Problem)


async def test_a_request_id_is_echoed_or_made(shop):
    given = await shop.get("/health/live", headers={"X-Request-ID": "r-1"})
    made = await shop.get("/health/live")

    assert given.headers["x-request-id"] == "r-1"
    assert len(made.headers["x-request-id"]) == 36


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>", 'a"b', "a\tb"])
async def test_a_senseless_request_id_is_replaced(shop, given):
    response = await shop.get("/nowhere", headers={"X-Request-ID": given})

    assert response.headers["x-request-id"] not in {given, ""}
    assert response.json()["request_id"] == response.headers["x-request-id"]


async def test_what_is_not_done_by_its_deadline_is_answered_then(shop, caller):
    response = await shop.get(
        "/api/shop/sleep", headers=caller.headers(**{"X-Request-Timeout": "0.2"})
    )

    assert_problem(response, DeadlineExceeded)


@pytest.mark.parametrize(
    ("deadline", "status"),
    [("0", 504), ("-1", 504), ("nan", 200), ("inf", 200), ("soon", 200), ("", 200)],
)
async def test_only_a_sound_deadline_counts(shop, caller, deadline, status):
    response = await shop.get(NOTES, headers=caller.headers(**{"X-Request-Timeout": deadline}))

    assert response.status_code == status


@pytest.mark.parametrize("path", [NOTES, DIRECT])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"line": "a", "surprise": 1}', "extra_forbidden"),
        (b"{}", "missing"),
        (b'{"line": "a\\u0000"}', "control_characters"),
        (b'{"line": "a", "quantity": 0}', "greater_than"),
        (b'{"line": "a", "quantity": 1e400}', "decimal_max_digits"),
        (b'{"line": "a", "quantity": "NaN"}', "decimal_parsing"),
        (b'{"line": "a", "quantity": "1e3"}', "decimal_parsing"),
        (b'{"line": "a", "quantity": true}', "decimal_type"),
        (b'{"line": "a", "quantity": NaN}', "json_invalid"),
        (b'{"line": ', "json_invalid"),
        (b"", None),
        (b"[]", None),
        (b"null", None),
        (b"7", None),
    ],
)
async def test_a_body_that_does_not_fit_is_422_and_named(shop, path, body, code):
    response = await post(shop, path, body)

    assert_problem(response, ValidationFailed)
    codes = {error["code"] for error in response.json()["errors"]}
    assert code is None or code in codes


@pytest.mark.parametrize("path", [NOTES, DIRECT, TREES])
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"tree": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b"\xff\xfe",
        b'{"line": "\xff"}',
        b'{"tree": ' + b"9" * 10_000 + b"}",
        b'{"line": "a", "quantity": ' + b"9" * 10_000 + b"}",
        b'{"tree": -Infinity}',
        b"\x00",
    ],
    ids=["deep", "deep-tree", "deep-object", "bytes", "not-utf8", "long", "long-quantity", "inf",
         "nul"],
)  # fmt: skip
async def test_a_hostile_body_is_the_senders_fault(shop, path, body):
    assert_problem(await post(shop, path, body), ValidationFailed)


@pytest.mark.parametrize("path", [NOTES, DIRECT])
async def test_a_name_given_twice_is_refused_and_named(shop, path):
    response = await post(shop, path, b'{"line": "a", "line": "b"}')

    assert_problem(response, ValidationFailed)
    assert response.json()["errors"] == [
        {"path": "body", "code": "given_twice", "message": "The field line is given twice."}
    ]


@pytest.mark.parametrize("path", [NOTES, DIRECT])
async def test_numbers_arrive_exactly(shop, path):
    response = await post(shop, path, b'{"line": "a", "quantity": 99999999999999.0001}')

    assert response.json()["quantity"] == "99999999999999.0001"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_of_another_type_is_refused(shop, content_type):
    for path in (NOTES, DIRECT, TREES):
        response = await post(shop, path, b'{"line": "a"}', None, content_type)
        assert_problem(response, UnsupportedMediaType)


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "Application/Json;a=b"]
)
async def test_json_is_named_in_any_case_and_may_say_its_charset(shop, content_type):
    for path in (NOTES, DIRECT):
        response = await post(shop, path, b'{"line": "a"}', None, content_type)
        assert response.status_code == 201


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({"Accept-Language": "fr-CA;q=0.8, en;q=0.5"}, "fr"),
        ({"Accept-Language": "de"}, "en"),
        ({}, "en"),
    ],
)
async def test_the_answer_says_its_language_and_what_it_depends_on(shop, headers, language):
    response = await shop.get(NOTES, headers=headers)

    assert response.headers["content-language"] == language
    assert "Accept-Language" in response.headers["vary"]
    assert response.json()["title"] == {"en": "Sign-in needed", "fr": "Connexion requise"}[language]


async def test_the_gateways_word_on_the_users_language_counts_before_the_tokens(shop, caller):
    path, told = "/api/shop/notes", {"X-User-Language": "fr"}

    plain = await shop.get(path, headers=caller.headers())
    chosen = await shop.get(path, headers=caller.headers(**told))
    asked = await shop.get(path, headers=caller.headers(**told, **{"Accept-Language": "en"}))

    languages = [answer.headers["content-language"] for answer in (plain, chosen, asked)]
    assert languages == ["en", "fr", "en"]


async def test_the_address_may_name_the_language(shop):
    response = await shop.get(f"{NOTES}?lang=fr", headers={"Accept-Language": "en"})

    assert response.json()["title"] == "Connexion requise"


async def test_invalid_input_is_told_in_french(shop, caller):
    headers = caller.headers(**{"Accept-Language": "fr"})

    response = await shop.post(NOTES, json={"line": ""}, headers=headers)

    assert response.json()["errors"] == [
        {
            "path": "body.line",
            "code": "string_too_short",
            "message": "Au moins 1 caractère est nécessaire.",
        }
    ]


@pytest.mark.parametrize("path", [NOTES, DIRECT])
async def test_nobody_gets_in_without_a_users_token_and_its_scope(shop, path):
    body = {"line": "a"}
    powerless = Caller(scopes=set()).headers()

    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"},
                    service_headers()):  # fmt: skip
        refused = await shop.post(path, json=body, headers=headers)
        assert_problem(refused, Unauthorized)
        assert refused.headers["www-authenticate"] == "Bearer"
    refused = await shop.post(path, json=body, headers=powerless)
    assert_problem(refused, MissingScope, scope="inventory:read")


async def test_who_is_limited_to_locations_gets_in_nowhere_that_does_not_say_so(shop, caller):
    limited = Caller(caller.tenant_id, caller.id, locations=[uuid4()])

    refused = await shop.get(f"{NOTES}?lang=fr", headers=limited.headers())

    assert_problem(refused, LocationNotAllowed)
    assert refused.json()["title"] == "Limité à certains emplacements"


async def test_what_is_not_there_and_what_is_not_done_there(shop, caller):
    assert_problem(await shop.get("/api/shop/nowhere", headers=caller.headers()), NotFound)
    assert_problem(await shop.get(f"{NOTES}/", headers=caller.headers()), NotFound)
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE", "BREW"):
        response = await shop.request(method, NOTES, headers=caller.headers())
        assert_problem(response, MethodNotAllowed)
        assert response.headers["allow"]


async def test_head_is_no_method_of_a_service_and_has_no_body(shop, caller):
    response = await shop.head(NOTES, headers=caller.headers())

    assert response.status_code == 405


async def test_the_feed_is_for_services_with_the_scope_alone(shop, caller):
    feed = "/internal/journal"

    answer = await shop.get(feed, headers=service_headers(target="shop"))
    assert answer.json().keys() == {"entries", "head_seq"}
    assert_problem(await shop.get(feed, headers=caller.headers()), Unauthorized)
    assert_problem(
        await shop.get(feed, headers=service_headers("reporting", "ops:read", target="shop")),
        MissingScope,
    )


async def test_requests_are_counted_by_their_route_not_by_their_address(shop, caller):
    await shop.get("/api/shop/failures/bug", headers=caller.headers())
    await shop.get("/nowhere/123456", headers=caller.headers())

    text = (await shop.get("/metrics", headers=SCRAPER)).text

    assert 'route="/api/shop/failures/{kind}"' in text
    assert "123456" not in text


async def test_a_length_that_is_no_number_is_not_believed(shop, caller):
    headers = caller.headers(**{"Content-Length": "many", "Content-Type": "application/json"})

    response = await shop.post(NOTES, content=b'{"line": "a"}', headers=headers)

    assert response.status_code == 201


async def test_the_document_names_scopes_and_problems(shop):
    paths = (await shop.get("/openapi.json")).json()["paths"]
    operation = paths[NOTES]["post"]

    assert operation["security"] == [{"bearer": ["inventory:read"]}]
    assert "note_refused" in operation["responses"]["409"]["description"]
    assert "idempotency_in_progress" in operation["responses"]["409"]["description"]
    assert {"401", "403", "422", "423", "500", "503", "504"} <= operation["responses"].keys()
