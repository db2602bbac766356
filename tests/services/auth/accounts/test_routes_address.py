"""Another address for an account: asked for and confirmed by its user, or given to him."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import asyncpg
import httpx
import pytest

from services.auth.one_time.errors import OneTimeTokenInvalid
from services.auth.sessions.errors import InvalidCredentials
from services.auth.users.errors import EmailTaken, UserNotFound
from shared.errors import MissingScope, StepUpRequired, ValidationFailed
from tests.services.auth.people import PASSWORD, Clock, SignedIn, SignIn, with_old_proof
from tests.services.auth.post import PostOffice
from tests.support.database import Databases
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

NEW = "countess@example.org"


@pytest.fixture
async def ada(make_user: SignIn) -> SignedIn:
    return await make_user()


@pytest.fixture
async def post(post: PostOffice) -> PostOffice:
    """An empty one: what other tests left to be sent is no mail of this one."""
    await post.deliver()
    post.sent.clear()
    return post


async def ask(who: SignedIn, email: str = NEW) -> httpx.Response:
    body = {"email": email}
    return await who.client.post("/api/auth/change-email", json=body, headers=who.headers())


async def confirm(who: SignedIn, token: str) -> httpx.Response:
    body = {"token": token}
    return await who.client.post("/api/auth/confirm-email", json=body, headers=who.headers())


async def give(by: SignedIn, whom: SignedIn, email: str = NEW) -> httpx.Response:
    path = f"/api/users/{whom.user['id']}/change-email"
    return await by.client.post(path, json={"email": email}, headers=by.headers())


async def log_in(who: SignedIn, email: str) -> httpx.Response:
    body = {"email": email, "password": PASSWORD, "tenant": who.tenant}
    return await who.client.post("/api/auth/login", json=body)


async def test_an_address_counts_once_the_token_sent_to_it_is_confirmed(
    ada: SignedIn, post: PostOffice
):
    asked = await ask(ada)
    assert (asked.status_code, asked.json()) == (202, {"accepted": True})
    token = await post.token_to(NEW)
    assert await post.to(ada.email) == []
    assert_problem(await log_in(ada, NEW), InvalidCredentials)

    confirmed = await confirm(ada, token)

    assert (confirmed.status_code, confirmed.json()["email"]) == (200, NEW)
    assert_problem(await log_in(ada, ada.email), InvalidCredentials)
    assert (await log_in(ada, NEW)).status_code == 200
    (told,) = await post.to(ada.email)
    assert told["Subject"] == "Your address was changed"
    assert NEW not in told.get_content()


async def test_sessions_go_on(ada: SignedIn, post: PostOffice):
    await ask(ada)

    await confirm(ada, await post.token_to(NEW))

    body = {"refresh_token": ada.refresh_token}
    assert (await ada.client.post("/api/auth/refresh", json=body)).status_code == 200


async def test_a_token_is_good_once_for_its_own_user_signed_in(
    client: httpx.AsyncClient, boss: SignedIn, ada: SignedIn, post: PostOffice
):
    await ask(ada)
    token = await post.token_to(NEW)

    assert_problem(await confirm(boss, token), OneTimeTokenInvalid)
    unsigned = await client.post("/api/auth/confirm-email", json={"token": token})
    assert unsigned.status_code == 401
    wrong_purpose = await client.post("/api/auth/verify-email", json={"token": token})
    assert_problem(wrong_purpose, OneTimeTokenInvalid)
    assert (await confirm(ada, token)).status_code == 200
    assert_problem(await confirm(ada, token), OneTimeTokenInvalid)


async def test_of_many_confirmations_at_once_one_counts(ada: SignedIn, post: PostOffice):
    await ask(ada)
    token = await post.token_to(NEW)

    answers = await asyncio.gather(*(confirm(ada, token) for _ in range(10)))

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 9


async def test_a_token_ends_after_a_day_and_with_the_next(
    ada: SignedIn, post: PostOffice, clock: Clock
):
    await ask(ada)
    first = await post.token_to(NEW)
    await ask(ada, "other@example.org")
    second = await post.token_to("other@example.org")

    assert_problem(await confirm(ada, first), OneTimeTokenInvalid)
    clock.advance(days=1, seconds=1)
    assert_problem(await confirm(ada, second), OneTimeTokenInvalid)


async def test_who_asks_does_not_learn_whether_the_address_is_taken(
    boss: SignedIn, ada: SignedIn, post: PostOffice
):
    free, taken = await ask(ada), await ask(ada, boss.email)

    assert free.content == taken.content
    (told,) = await post.to(boss.email)
    assert told["Subject"] == "This address has an account already"
    assert "ot_" not in told.get_content()
    assert ada.email not in told.get_content()


async def test_an_address_that_was_taken_meanwhile_is_refused(
    ada: SignedIn, make_user: SignIn, post: PostOffice
):
    await ask(ada)
    token = await post.token_to(NEW)
    await make_user(NEW)

    assert_problem(await confirm(ada, token), EmailTaken)


async def test_another_spelling_of_the_own_address_is_no_other_account(
    ada: SignedIn, post: PostOffice
):
    await ask(ada, "Ada@Example.com")

    confirmed = await confirm(ada, await post.token_to("Ada@Example.com"))

    assert confirmed.json()["email"] == "Ada@Example.com"
    assert (await log_in(ada, "ada@example.com")).status_code == 200


async def test_what_went_to_the_address_before_is_good_no_more(
    client: httpx.AsyncClient, boss: SignedIn, ada: SignedIn, post: PostOffice
):
    asked = {"email": ada.email, "tenant": ada.tenant}
    await client.post("/api/auth/forgot-password", json=asked)
    token = await post.token_to(ada.email)

    await give(boss, ada)

    body = {"token": token, "new_password": "marmalade fence quartet 9"}
    assert_problem(await client.post("/api/auth/reset-password", json=body), OneTimeTokenInvalid)


async def test_an_administrator_gives_an_address_at_once_and_both_are_told(
    boss: SignedIn, ada: SignedIn, post: PostOffice, databases: Databases
):
    given = await give(boss, ada)

    assert (given.status_code, given.json()["email"]) == (200, NEW)
    assert (await log_in(ada, NEW)).status_code == 200
    body = {"refresh_token": ada.refresh_token}
    assert (await ada.client.post("/api/auth/refresh", json=body)).status_code == 200
    (before,), (after,) = await post.to(ada.email), await post.to(NEW)
    assert before["Subject"] == "Your address was changed"
    assert after["Subject"] == "This is the address of your account now"
    assert (await give(boss, ada)).status_code == 200
    assert len(await post.to(NEW)) == 1
    connection = await asyncpg.connect(databases.superuser_dsn)
    rows = await connection.fetch(
        """SELECT actor, data FROM auth.journal
        WHERE subject = $1 AND type = 'auth.user-address-changed.v1'""",
        f"user:{ada.user['id']}",
    )
    await connection.close()
    assert [row["actor"] for row in rows] == [f"user:{boss.user['id']}"]
    assert json.loads(rows[0]["data"]).keys() >= {"before", "after"}
    assert "example" not in rows[0]["data"]


async def test_who_was_invited_to_a_wrong_address_is_invited_anew(
    client: httpx.AsyncClient, boss: SignedIn, post: PostOffice
):
    wrong = {"email": "tpyo@example.com", "role": "clerk"}
    invited = await client.post("/api/invitations", json=wrong, headers=boss.headers())
    token = await post.token_to("tpyo@example.com")

    path = f"/api/users/{invited.json()['user']['id']}/change-email"
    given = await client.post(path, json={"email": NEW}, headers=boss.headers())

    assert given.json()["status"] == "invited"
    body = {"token": token, "password": PASSWORD}
    accepted = await client.post("/api/auth/accept-invitation", json=body)
    assert_problem(accepted, OneTimeTokenInvalid)
    assert len(await post.to("tpyo@example.com")) == 1
    again = await client.post(
        "/api/invitations", json=wrong | {"email": NEW}, headers=boss.headers()
    )
    assert again.status_code == 201
    assert (await post.token_to(NEW)).startswith("ot_")


@pytest.mark.asvs("B09")
async def test_it_needs_the_right_a_fresh_proof_and_an_address(
    boss: SignedIn,
    ada: SignedIn,
    make_tenant: Callable[..., Awaitable[SignedIn]],
    databases: Databases,
):
    stranger = await make_tenant("stranger@example.com")

    assert_problem(await give(ada, boss), MissingScope)
    assert_problem(await give(stranger, ada), UserNotFound)
    assert_problem(await give(boss, ada, boss.email), EmailTaken)
    assert_problem(await ask(ada, "no address"), ValidationFailed)
    assert_problem(await ask(await with_old_proof(ada, databases)), StepUpRequired)
    assert_problem(await give(await with_old_proof(boss, databases), ada), StepUpRequired)


async def test_mails_are_in_the_language_of_the_account(
    client: httpx.AsyncClient, ada: SignedIn, post: PostOffice
):
    await client.patch("/api/auth/me", json={"language": "fr"}, headers=ada.headers())
    await ask(ada)

    (asked,) = await post.to(NEW)
    await confirm(ada, await post.token_to(NEW))

    (told,) = await post.to(ada.email)
    assert asked["Subject"] == "Confirmez votre nouvelle adresse"
    assert told["Subject"] == "Votre adresse a été changée"


async def test_nothing_of_an_address_asked_for_is_readable_in_the_database(
    ada: SignedIn, post: PostOffice, databases: Databases
):
    await ask(ada)
    await post.deliver()

    connection = await asyncpg.connect(databases.superuser_dsn)
    rows = await connection.fetch("SELECT * FROM auth.one_time_tokens WHERE purpose = 'address'")
    await connection.close()
    assert rows
    assert NEW.encode() not in b"".join(row["email_sealed"] for row in rows)
