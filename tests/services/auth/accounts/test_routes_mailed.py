"""Passwords forgotten, people invited: what is done by a token that came by mail."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from services.auth.accounts.errors import (
    NotInvited,
)
from services.auth.factors.errors import TwoFactorRequired
from services.auth.one_time.errors import OneTimeTokenInvalid
from services.auth.passwords.errors import PasswordCommon
from services.auth.sessions.errors import (
    InvalidCredentials,
    RefreshInvalid,
)
from services.auth.users.errors import EmailTaken
from shared.errors import (
    MissingScope,
)
from tests.services.auth.people import PASSWORD, Clock, SignedIn, SignIn
from tests.services.auth.post import PostOffice
from tests.support.database import Databases
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

MakeTenant = Callable[..., Awaitable[SignedIn]]
NEW = "marmalade fence quartet 9"


def registration(**changes: object) -> dict[str, object]:
    email = f"{secrets.token_hex(6)}@example.com"
    return {"email": email, "password": PASSWORD} | changes


async def register(client: httpx.AsyncClient, **changes: object) -> dict[str, Any]:
    body = registration(**changes)
    response = await client.post("/api/auth/register", json=body)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = body | response.json()
    return found


async def log_in(client: httpx.AsyncClient, body: dict[str, Any], **changes: Any) -> httpx.Response:
    wanted = {name: body[name] for name in ("email", "password", "tenant") if name in body}
    return await client.post("/api/auth/login", json=wanted | changes)


async def verify(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/api/auth/verify-email", json={"token": token})


@pytest.fixture
async def ada(client: httpx.AsyncClient, make_user: SignIn) -> SignedIn:
    return await make_user()


async def forget(who: SignedIn) -> None:
    body = {"email": who.email, "tenant": who.tenant}
    answer = await who.client.post("/api/auth/forgot-password", json=body)
    assert answer.status_code == 202


async def reset(client: httpx.AsyncClient, token: str, password: str = NEW) -> httpx.Response:
    body = {"token": token, "new_password": password}
    return await client.post("/api/auth/reset-password", json=body)


@pytest.mark.asvs("A10")
async def test_a_forgotten_password_is_reset_once_and_all_sessions_end(
    client: httpx.AsyncClient, ada: SignedIn, post: PostOffice
):
    await forget(ada)
    token = await post.token_to(ada.email)

    assert (await reset(client, token)).status_code == 204

    assert_problem(await reset(client, token, PASSWORD), OneTimeTokenInvalid)
    ended = await client.post("/api/auth/refresh", json={"refresh_token": ada.refresh_token})
    assert_problem(ended, RefreshInvalid)
    body = {"email": ada.email, "tenant": ada.tenant}
    assert_problem(await log_in(client, body, password=PASSWORD), InvalidCredentials)
    assert (await log_in(client, body, password=NEW)).status_code == 200
    *_, told = await post.to(ada.email)
    assert told["Subject"] == "Your password was changed"


@pytest.mark.asvs("A10")
async def test_a_reset_ends_after_half_an_hour_and_with_a_change_of_password(
    client: httpx.AsyncClient, ada: SignedIn, post: PostOffice, clock: Clock
):
    await forget(ada)
    token = await post.token_to(ada.email)
    body = {"current_password": PASSWORD, "new_password": "some other words here"}
    await client.post("/api/auth/change-password", json=body, headers=ada.headers())
    assert_problem(await reset(client, token), OneTimeTokenInvalid)
    await forget(ada)
    token = await post.token_to(ada.email)
    clock.advance(minutes=30)

    assert_problem(await reset(client, token), OneTimeTokenInvalid)


@pytest.mark.asvs("A10")
async def test_a_reset_does_not_go_round_the_second_factor(
    client: httpx.AsyncClient, boss: SignedIn, post: PostOffice
):
    await forget(boss)
    await reset(client, await post.token_to(boss.email))

    body = {"email": boss.email, "tenant": boss.tenant, "password": NEW}
    assert_problem(await log_in(client, body), TwoFactorRequired)


@pytest.mark.asvs("A10")
async def test_a_token_of_one_purpose_is_good_for_no_other(
    client: httpx.AsyncClient, ada: SignedIn, post: PostOffice
):
    await forget(ada)
    token = await post.token_to(ada.email)

    accept = {"token": token, "password": NEW}
    assert_problem(await verify(client, token), OneTimeTokenInvalid)
    answer = await client.post("/api/auth/accept-invitation", json=accept)
    assert_problem(answer, OneTimeTokenInvalid)
    assert_problem(await reset(client, token, "password2026"), PasswordCommon)
    assert (await reset(client, token)).status_code == 204


async def test_who_is_invited_chooses_a_password_and_comes_in(
    client: httpx.AsyncClient, boss: SignedIn, post: PostOffice
):
    body = {"email": "grace@example.com", "role": "manager", "language": "fr"}
    made = await client.post("/api/invitations", json=body, headers=boss.headers())
    assert made.status_code == 201
    assert made.json()["user"]["status"] == "invited"
    first = await post.token_to("grace@example.com")
    again = await client.post("/api/invitations", json=body, headers=boss.headers())
    assert again.json()["user"]["id"] == made.json()["user"]["id"]
    token = await post.token_to("grace@example.com")
    *_, mail = await post.to("grace@example.com")
    assert f"invité par <{boss.email}> à travailler chez Acme." in mail.get_content()
    accept = {"password": NEW, "name": "Grace"}

    old = await client.post("/api/auth/accept-invitation", json=accept | {"token": first})
    done = await client.post("/api/auth/accept-invitation", json=accept | {"token": token})

    assert_problem(old, OneTimeTokenInvalid)
    assert (done.json()["name"], done.json()["status"]) == ("Grace", "active")
    who = {"email": "grace@example.com", "tenant": boss.tenant, "password": NEW}
    assert (await log_in(client, who)).json()["user"]["role"] == "manager"
    taken = await client.post("/api/invitations", json=body, headers=boss.headers())
    assert_problem(taken, EmailTaken)


async def test_an_invitation_is_withdrawn(
    client: httpx.AsyncClient, boss: SignedIn, post: PostOffice
):
    body = {"email": "grace@example.com", "role": "clerk"}
    made = await client.post("/api/invitations", json=body, headers=boss.headers())
    token = await post.token_to("grace@example.com")
    path = f"/api/invitations/{made.json()['user']['id']}"

    assert (await client.delete(path, headers=boss.headers())).status_code == 204
    assert_problem(await client.delete(path, headers=boss.headers()), NotInvited)

    accept = {"token": token, "password": NEW}
    late = await client.post("/api/auth/accept-invitation", json=accept)
    assert_problem(late, OneTimeTokenInvalid)


async def test_only_who_manages_users_invites_and_approves(
    client: httpx.AsyncClient, ada: SignedIn
):
    body = {"email": "grace@example.com", "role": "clerk"}
    asked = await client.post("/api/invitations", json=body, headers=ada.headers())
    approved = await client.post(f"/api/users/{ada.user['id']}/approve", headers=ada.headers())

    assert_problem(asked, MissingScope)
    assert_problem(approved, MissingScope)


@pytest.mark.asvs("F03")
async def test_nothing_of_mails_and_errands_is_readable_in_the_database(
    client: httpx.AsyncClient, databases: Databases
):
    found = await register(client)
    connection = await asyncpg.connect(databases.superuser_dsn)
    kept = await connection.fetchval(
        "SELECT coalesce(string_agg(e::text, ''), '') FROM auth.errands e"
    )
    await connection.close()

    assert kept
    assert found["email"] not in kept
    assert found["email"].encode().hex() not in kept
