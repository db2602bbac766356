"""What a request may say: known names alone, each value in its one form, and not too much."""

import pytest

from shared.errors import ContentTooLarge, Unauthorized, ValidationFailed
from tests.support.services import Caller, assert_problem, service_headers

pytestmark = pytest.mark.stack
NOTES, DIRECT, TREES = "/api/shop/notes", "/api/shop/direct", "/api/shop/trees"


@pytest.mark.parametrize("path", ["/notes", "/hot-notes", "/direct-list", "/sleep"])
async def test_an_unknown_parameter_is_refused_and_named(shop, caller, path):
    response = await shop.get(f"/api/shop{path}?colour=red", headers=caller.headers())

    assert_problem(response, ValidationFailed)
    assert response.json()["errors"] == [
        {
            "path": "query.colour",
            "code": "extra_forbidden",
            "message": "This field is not known here. Check its spelling, or leave it out.",
        }
    ]


@pytest.mark.parametrize("path", [NOTES, DIRECT, TREES])
async def test_an_unknown_parameter_of_a_post_is_refused_too(shop, caller, path):
    response = await shop.post(f"{path}?colour=red", json={}, headers=caller.headers())

    assert_problem(response, ValidationFailed)
    assert response.json()["errors"][0]["path"] == "query.colour"


async def test_an_unknown_parameter_is_refused_within_the_system_too(shop):
    response = await shop.get("/internal/journal?after=5", headers=service_headers(target="shop"))

    assert_problem(response, ValidationFailed)


@pytest.mark.parametrize("path", ["notes", "hot-notes", "direct-list?limit=5", "sleep?seconds=0"])
async def test_every_route_takes_the_language(shop, caller, path):
    joined = f"/api/shop/{path}{'&' if '?' in path else '?'}lang=fr"

    response = await shop.get(joined, headers=caller.headers())

    assert (response.status_code, response.headers["content-language"]) == (200, "fr")


async def test_the_caller_is_judged_before_what_he_sends(shop):
    nobody = await shop.post(f"{NOTES}?colour=red", content=b"{", headers={})

    assert_problem(nobody, Unauthorized)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=1_0", "int_parsing"),
        ("limit=%EF%BC%91%EF%BC%92", "int_parsing"),
        ("limit=%D9%A3", "int_parsing"),
        ("limit=%201", "int_parsing"),
        ("limit=%2B1", "int_parsing"),
        ("limit=1.0", "int_parsing"),
        ("limit=01", "int_parsing"),
        ("limit=1&limit=2", "given_twice"),
        ("day=20261120", "date_parsing"),
        ("day=1732060800", "date_parsing"),
        ("day=2026-11-20T00:00:00Z", "date_parsing"),
        ("day=1969-12-31", "date_out_of_range"),
        ("day=2100-01-01", "date_out_of_range"),
        ("at=20261120", "datetime_parsing"),
        ("at=1732060800", "datetime_parsing"),
        ("at=2026-11-20T12:00:00", "timezone_aware"),
        ("at=1969-12-31T23:59:59Z", "datetime_out_of_range"),
        ("at=0001-01-01T00:00:00Z", "datetime_out_of_range"),
        ("at=2100-01-01T00:00:00Z", "datetime_out_of_range"),
        ("id=7c9e6679742540de944be07fc1f90ae7", "uuid_parsing"),
        ("id={7c9e6679-7425-40de-944b-e07fc1f90ae7}", "uuid_parsing"),
        ("id=urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7", "uuid_parsing"),
        ("all=yes", "bool_parsing"),
        ("all=on", "bool_parsing"),
    ],
)
@pytest.mark.parametrize("path", ["forms", "direct-list"])
async def test_a_parameter_has_one_form(shop, caller, path, query, code):
    response = await shop.get(f"/api/shop/{path}?{query}", headers=caller.headers())

    assert_problem(response, ValidationFailed)
    assert [error["code"] for error in response.json()["errors"]] == [code]


@pytest.mark.parametrize("path", ["forms", "direct-list"])
async def test_all_that_is_wrong_with_parameters_is_told_at_once(shop, caller, path):
    query = "limit=999999&foo=1&day=20261120&at=noon&limit=2"

    response = await shop.get(f"/api/shop/{path}?{query}", headers=caller.headers())

    assert_problem(response, ValidationFailed)
    assert {(error["path"], error["code"]) for error in response.json()["errors"]} == {
        ("query.limit", "given_twice"),
        ("query.foo", "extra_forbidden"),
        ("query.day", "date_parsing"),
        ("query.at", "datetime_parsing"),
    }


@pytest.mark.parametrize("path", ["forms", "direct-list"])
async def test_what_has_no_place_hides_no_value_out_of_range(shop, caller, path):
    response = await shop.get(
        f"/api/shop/{path}?at=2100-01-01T00:00:00Z&foo=1", headers=caller.headers()
    )

    assert {(error["path"], error["code"]) for error in response.json()["errors"]} == {
        ("query.at", "datetime_out_of_range"),
        ("query.foo", "extra_forbidden"),
    }


@pytest.mark.parametrize("path", [NOTES, DIRECT])
async def test_a_body_that_is_missing_is_asked_for(shop, caller, path):
    response = await shop.post(path, headers=caller.headers())

    assert response.json()["errors"] == [
        {
            "path": "body",
            "code": "missing",
            "message": "Send a body, as JSON. The documentation at /docs shows an example.",
        }
    ]


@pytest.mark.parametrize("path", [NOTES, DIRECT])
async def test_where_a_body_is_no_json_is_told(shop, caller, path):
    headers = caller.headers(**{"Content-Type": "application/json"})

    response = await shop.post(path, content=b'{"line": "a",\n "quantity": }', headers=headers)

    (error,) = response.json()["errors"]
    assert error["message"] == "The body is not valid JSON: see line 2, column 14."


@pytest.mark.parametrize("path", ["forms", "direct-list"])
async def test_a_parameter_in_its_form_is_read(shop, caller, path):
    query = (
        "limit=12&day=2026-11-20&at=2026-11-20T12:00:00%2B02:00"
        "&id=7C9E6679-7425-40DE-944B-E07FC1F90AE7&all=true"
    )

    read = (await shop.get(f"/api/shop/{path}?{query}", headers=caller.headers())).json()

    assert read == {
        "limit": 12,
        "day": "2026-11-20",
        "at": "2026-11-20T10:00:00Z",
        "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "all": True,
    }


async def test_a_day_alone_is_its_midnight_in_utc(shop, caller):
    read = await shop.get("/api/shop/forms?at=2026-11-20", headers=caller.headers())

    assert read.json()["at"] == "2026-11-20T00:00:00Z"


@pytest.mark.parametrize("version", ["1_0", "%D9%A3", "+1"])
async def test_a_part_of_the_path_has_one_form_too(shop, caller, version):
    response = await shop.patch(f"{NOTES}/{version}", headers=caller.headers())

    assert_problem(response, ValidationFailed)
    assert response.json()["errors"][0]["path"] == "path.version"


async def test_an_id_that_the_path_itself_reads_has_one_form_too(shop, caller):
    id_ = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

    for form in (id_, id_.upper()):
        read = await shop.get(f"/api/shop/by-id/{form}", headers=caller.headers())
        assert read.json() == id_
    bare = await shop.get(f"/api/shop/by-id/{id_.replace('-', '')}", headers=caller.headers())

    assert_problem(bare, ValidationFailed)
    assert bare.json()["errors"][0]["path"] == "path.note_id"


@pytest.mark.parametrize(("faults", "named", "more"), [(20, 20, None), (21, 20, 1), (90, 20, 70)])
async def test_a_refusal_names_twenty_places_and_says_how_many_more(shop, faults, named, more):
    members = ",".join(f'"k{number}": 1' for number in range(faults))
    content = f'{{"line": "a", {members}}}'.encode()
    headers = Caller().headers(**{"Content-Type": "application/json"})

    for path in (NOTES, DIRECT):
        response = await shop.post(path, content=content, headers=headers)
        assert_problem(response, ValidationFailed)
        assert len(response.json()["errors"]) == named
        assert response.json().get("errors_more") == more


@pytest.mark.parametrize(
    ("language", "count", "told"),
    [
        ("en", 21, "1 more is not named here."),
        ("en", 22, "2 more are not named here."),
        ("fr", 21, "1 autre n\u2019est pas citée ici."),
    ],
)
async def test_how_many_more_is_told_in_words(shop, caller, language, count, told):
    body = {"line": "a"} | {f"k{number}": 1 for number in range(count)}
    headers = caller.headers(**{"Accept-Language": language})

    response = await shop.post(NOTES, json=body, headers=headers)

    assert response.json()["detail"].endswith(f". {told}")


@pytest.mark.parametrize("path", [NOTES, DIRECT, TREES])
@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_beyond_the_routes_limit_is_refused(shop, caller, path, announced):
    async def pieces():
        for _ in range(300):
            yield b" " * 1024

    content = b" " * 300 * 1024 if announced else pieces()
    headers = caller.headers(**{"Content-Type": "application/json"})

    response = await shop.post(path, content=content, headers=headers)

    assert_problem(response, ContentTooLarge, limit_bytes=262_144)


async def test_a_route_may_set_a_limit_of_its_own_and_documents_it(shop, caller):
    paths = (await shop.get("/openapi.json")).json()["paths"]
    headers = caller.headers(**{"Content-Type": "application/json"})

    response = await shop.post("/api/shop/small", content=b" " * 101, headers=headers)

    assert_problem(response, ContentTooLarge, limit_bytes=100)
    assert paths["/api/shop/small"]["post"]["requestBody"]["description"] == "At most 100 bytes."
    assert "262144" in paths[NOTES]["post"]["requestBody"]["description"]
