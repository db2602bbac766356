"""One request, one transaction, closed before the reply; a key answers once; tenants never meet."""

import asyncio

import pytest

from shared.errors import (
    IdempotencyInProgress,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    Problem,
)
from tests.shared.web.shop import NoteRefused
from tests.support.services import Caller, assert_problem
from tests.support.waiting import eventually, until_blocked_by

pytestmark = pytest.mark.stack
NOTES = "/api/shop/notes"
_ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"


async def add(shop, caller, line, key=None, **more):
    headers = caller.headers(**({"Idempotency-Key": key} if key else {}), **more)
    return await shop.post(NOTES, json={"line": line}, headers=headers)


async def notes(shop, caller):
    return (await shop.get(NOTES, headers=caller.headers())).json()


async def test_what_was_answered_stands(shop, caller):
    response = await add(shop, caller, "pears")

    assert response.status_code == 201
    assert await notes(shop, caller) == ["pears"]


async def test_a_commit_that_fails_never_answers_201(shop, caller):
    response = await add(shop, caller, "fails at commit")

    assert_problem(response, Problem)
    assert "canary" not in response.text
    assert await notes(shop, caller) == []


async def test_a_refusal_after_a_write_leaves_nothing(shop, caller):
    assert_problem(await add(shop, caller, "refuse"), NoteRefused, free="2.5")
    assert await notes(shop, caller) == []


async def test_the_same_key_gives_the_same_answer_with_its_headers(shop, caller):
    first = await add(shop, caller, "pears", key="k-1")
    again = await add(shop, caller, "pears", key="k-1", **{"Accept-Language": "fr"})

    assert (again.status_code, again.content) == (201, first.content)
    for name in ("content-type", "etag", "location"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert await notes(shop, caller) == ["pears"]


async def test_the_same_key_with_another_body_or_path_is_refused(shop, caller):
    await add(shop, caller, "pears", key="k-1")

    assert_problem(await add(shop, caller, "plums", key="k-1"), IdempotencyKeyReused)
    assert await notes(shop, caller) == ["pears"]


async def test_a_transaction_that_clashed_is_run_again(shop, caller, databases, superuser):
    await superuser.execute("SET deadlock_timeout = '1h'")  # So that it is not the one to give way.
    async with superuser.transaction():
        await superuser.execute("SELECT shop.wait_lock('there')")
        sent = asyncio.create_task(add(shop, caller, "crossed", key="k-1"))
        await until_blocked_by(databases, superuser)
        await superuser.execute("SELECT shop.wait_lock('here')")
    answer = await sent

    assert answer.status_code == 201, answer.text
    assert (await add(shop, caller, "crossed", key="k-1")).content == answer.content
    assert await notes(shop, caller) == ["crossed"]


async def test_a_key_sent_many_times_at_once_has_one_effect(shop, caller):
    answers = await asyncio.gather(*(add(shop, caller, "slow", key="k-1") for _ in range(5)))

    done = [answer for answer in answers if answer.status_code == 201]
    assert done
    assert len({answer.json()["id"] for answer in done}) == 1
    for answer in answers:
        if answer not in done:
            assert_problem(answer, IdempotencyInProgress)
    assert await notes(shop, caller) == ["slow"]


@pytest.mark.parametrize("line", ["refuse", "fails at commit"])
async def test_a_key_whose_request_failed_is_free_again(shop, caller, line):
    assert (await add(shop, caller, line, key="k-1")).status_code >= 400

    assert (await add(shop, caller, "pears", key="k-1")).status_code == 201


async def test_keys_of_callers_and_tenants_do_not_meet(shop, caller):
    colleague, stranger = Caller(tenant_id=caller.tenant_id), Caller()
    first = await add(shop, caller, "pears", key="k-1")

    for other in (colleague, stranger):
        response = await add(shop, other, "plums", key="k-1")
        assert response.status_code == 201
        assert response.json()["id"] != first.json()["id"]


@pytest.mark.parametrize("key", ["a b", "a" * 256, "\u00e9"])
async def test_a_malformed_key_is_refused(shop, caller, key):
    headers = [*caller.headers().items(), ("Idempotency-Key", key.encode("latin-1"))]
    response = await shop.post(NOTES, json={"line": "pears"}, headers=headers)

    assert_problem(response, IdempotencyKeyInvalid)


async def test_two_keys_are_refused(shop, caller):
    headers = [*caller.headers().items(), ("Idempotency-Key", "k-1"), ("Idempotency-Key", "k-2")]
    response = await shop.post(NOTES, json={"line": "pears"}, headers=headers)

    assert_problem(response, IdempotencyKeyInvalid)


async def test_a_tenant_sees_its_own_rows_alone_however_requests_interleave(shop):
    tenants = [Caller() for _ in range(12)]
    for number, tenant in enumerate(tenants):
        await add(shop, tenant, f"of {number}")

    async def look(number: int, path: str) -> tuple[int, list[str]]:
        response = await shop.get(path, headers=tenants[number].headers())
        return number, response.json()

    paths = (NOTES, "/api/shop/hot-notes", NOTES, "/api/shop/hot-notes")
    seen = await asyncio.gather(
        *(look(number, path) for path in paths for number in range(len(tenants)))
    )

    assert [lines for number, lines in seen if lines != [f"of {number}"]] == []


async def test_a_tenant_is_not_left_behind_on_a_connection_that_failed(shop):
    first, second = Caller(), Caller()
    await add(shop, first, "of the first")
    await add(shop, second, "of the second")

    for failing in ("/api/shop/hot-failure", "/api/shop/failures/sql", "/api/shop/failures/bug"):
        failures = await asyncio.gather(
            *(shop.get(failing, headers=first.headers()) for _ in range(6))
        )
        assert {answer.status_code for answer in failures} == {500}
        for path in (NOTES, "/api/shop/hot-notes"):
            for caller, line in ((second, "of the second"), (first, "of the first")):
                answer = await shop.get(path, headers=caller.headers())
                assert answer.json() == [line]


async def test_a_request_that_is_given_up_gives_its_connection_back(shop, caller, superuser):
    """As many as there are connections, all cancelled half-way: the next ones find some."""

    async def all_asleep():
        return await superuser.fetchval(_ASLEEP) == 5

    for _ in range(2):
        tasks = [
            asyncio.create_task(shop.get("/api/shop/sleep", headers=caller.headers()))
            for _ in range(5)
        ]
        await eventually(all_asleep)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    assert await notes(shop, caller) == []
