"""Tags and keys as the route class gives them: no route of the shop does anything for them."""

import pytest

from shared.errors import IdempotencyAnswerWithheld, MissingScope, PreconditionFailed
from tests.support.services import Caller, assert_problem

pytestmark = pytest.mark.stack
NOTES = "/api/shop/notes"


async def add(shop, caller, line="pears"):
    return await shop.post(NOTES, json={"line": line}, headers=caller.headers())


async def test_an_answer_with_a_version_has_a_tag(shop, caller):
    for path in (NOTES, "/api/shop/direct"):
        response = await shop.post(path, json={"line": "pears"}, headers=caller.headers())
        assert response.headers["etag"].startswith('"1-'), path


async def test_a_list_has_none(shop, caller):
    assert "etag" not in (await shop.get(NOTES, headers=caller.headers())).headers


@pytest.mark.parametrize("form", ["{}", "W/{}", '"0-0", {}', "*"])
async def test_a_reader_who_has_the_answer_is_told_so(shop, caller, form):
    await add(shop, caller)
    first = await shop.get(f"{NOTES}/pears", headers=caller.headers())
    known = {"If-None-Match": form.format(first.headers["etag"])}

    again = await shop.get(f"{NOTES}/pears", headers=caller.headers(**known))

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


async def test_a_tag_changes_with_whatever_the_answer_shows(shop, caller):
    """The row's version is still 1, but there is one more of it."""
    await add(shop, caller)
    first = await shop.get(f"{NOTES}/pears", headers=caller.headers())
    await add(shop, caller)

    known = {"If-None-Match": first.headers["etag"]}
    again = await shop.get(f"{NOTES}/pears", headers=caller.headers(**known))

    assert (again.status_code, again.json()["quantity"]) == (200, "2")
    assert again.headers["etag"] != first.headers["etag"]


async def test_an_edit_compares_the_version_of_the_tag_alone(shop, caller):
    await add(shop, caller)
    tag = (await shop.get(f"{NOTES}/pears", headers=caller.headers())).headers["etag"]
    read = caller.headers(**{"If-Match": tag})
    await add(shop, caller)

    assert (await shop.patch(f"{NOTES}/1", headers=read)).status_code == 200
    assert_problem(await shop.patch(f"{NOTES}/2", headers=read), PreconditionFailed)


async def test_who_may_no_longer_ask_gets_no_kept_answer(shop, caller):
    headers = {"Idempotency-Key": "k-1"}
    body = {"line": "pears"}
    await shop.post(NOTES, json=body, headers=caller.headers(**headers))
    demoted = Caller(caller.tenant_id, caller.id, scopes=set())

    response = await shop.post(NOTES, json=body, headers=demoted.headers(**headers))

    assert_problem(response, MissingScope)


async def test_a_kept_answer_is_withheld_from_who_lost_a_right_that_it_was_given_with(shop, caller):
    headers, body = {"Idempotency-Key": "k-1"}, {"line": "pears"}
    now = {"inventory:read", "stock:write"}
    rich = Caller(caller.tenant_id, caller.id, scopes=now | {"price:write"})
    poor = Caller(caller.tenant_id, caller.id, scopes=now)
    richer = Caller(caller.tenant_id, caller.id, scopes=now | {"price:write", "audit:read"})
    first = await shop.post(NOTES, json=body, headers=rich.headers(**headers))

    withheld = await shop.post(NOTES, json=body, headers=poor.headers(**headers))
    again = await shop.post(NOTES, json=body, headers=richer.headers(**headers))

    assert_problem(withheld, IdempotencyAnswerWithheld)
    assert (again.status_code, again.content) == (201, first.content)


async def test_the_document_says_what_the_route_class_does(shop):
    paths = (await shop.get("/openapi.json")).json()["paths"]
    post, lists = paths[NOTES]["post"], paths[NOTES]["get"]
    get, patch = paths[f"{NOTES}/{{line}}"]["get"], paths[f"{NOTES}/{{version}}"]["patch"]
    described = {status: response["description"] for status, response in post["responses"].items()}

    assert "idempotency_key_invalid" in described["400"]
    assert "idempotency_in_progress" in described["409"]
    assert "idempotency_key_reused" in described["422"]
    assert "precondition_failed" in patch["responses"]["412"]["description"]
    assert "304" in get["responses"]
    assert "ETag" in get["responses"]["200"]["headers"]
    assert "304" not in lists["responses"]
    names = {parameter["name"] for parameter in get["parameters"]}
    assert "If-None-Match" in names
    assert "Idempotency-Key" not in names
