"""What a stranger asks for an address keeps its owner, and who invites him, from nothing."""

import secrets
from datetime import timedelta

import httpx
import pytest

from services.auth.one_time.errors import OneTimeTokenInvalid
from services.auth.sessions.errors import InvalidCredentials
from shared.clock import utc_now
from tests.services.auth.accounts.test_routes import log_in, register, verify
from tests.services.auth.accounts.test_routes_mailed import NEW, forget, reset
from tests.services.auth.people import PASSWORD, SignedIn, SignIn
from tests.services.auth.post import TOKEN, PostOffice
from tests.support.services import assert_problem

pytestmark = pytest.mark.stack

OTHER = "zebra kettle orbit 44"


async def test_who_registered_somebody_elses_address_does_not_keep_him_from_an_invitation(
    client: httpx.AsyncClient, boss: SignedIn, post: PostOffice
):
    squatted = await register(client, tenant=boss.tenant, name="Not Ada", language="fr")
    old = await post.token_to(squatted["email"])
    body = {"email": squatted["email"].upper(), "role": "clerk"}

    invited = await client.post("/api/invitations", json=body, headers=boss.headers())

    assert invited.status_code == 201, invited.text
    user = invited.json()["user"]
    assert (user["id"], user["role"], user["status"]) == (squatted["id"], "clerk", "invited")
    assert (user["name"], user["language"]) == (None, None)
    assert_problem(await verify(client, old), OneTimeTokenInvalid)
    accept = {"token": await post.token_to(squatted["email"]), "password": OTHER}
    accepted = await client.post("/api/auth/accept-invitation", json=accept)
    assert accepted.json()["status"] == "active"
    assert_problem(await log_in(client, squatted), InvalidCredentials)
    assert (await log_in(client, squatted, password=OTHER)).status_code == 200


async def test_nor_from_an_account_that_an_administrator_makes(
    client: httpx.AsyncClient, boss: SignedIn, post: PostOffice
):
    squatted = await register(client, tenant=boss.tenant, name="Not Ada")
    old = await post.token_to(squatted["email"])
    body = {
        "email": squatted["email"], "password": OTHER, "role": "manager", "name": "Ada",
        "password_change_required": False,
    }  # fmt: skip

    made = await client.post("/api/users", json=body, headers=boss.headers())

    assert made.status_code == 201, made.text
    assert (made.json()["name"], made.json()["role"], made.json()["status"]) == (
        "Ada", "manager", "active",
    )  # fmt: skip
    assert_problem(await verify(client, old), OneTimeTokenInvalid)
    assert_problem(await log_in(client, squatted), InvalidCredentials)
    assert (await log_in(client, squatted, password=OTHER)).status_code == 200


async def test_who_asks_again_ends_no_link_that_is_on_its_way(
    client: httpx.AsyncClient, make_user: SignIn, post: PostOffice
):
    ada = await make_user()
    await forget(ada)
    owners = await post.token_to(ada.email)
    await forget(ada)
    strangers = await post.token_to(ada.email)

    assert (await reset(client, owners)).status_code == 204

    assert_problem(await reset(client, strangers, PASSWORD), OneTimeTokenInvalid)
    body = {"email": ada.email, "tenant": ada.tenant, "password": NEW}
    assert (await log_in(client, body)).status_code == 200


async def test_mail_to_one_address_about_one_thing_is_rare_and_the_last_links_are_good(
    client: httpx.AsyncClient, make_user: SignIn, post: PostOffice
):
    ada, bob = [await make_user(f"{secrets.token_hex(6)}@example.com") for _ in range(2)]
    for _ in range(9):
        await forget(ada)
        await post.deliver()
    tokens = [TOKEN.findall(mail.get_content())[0] for mail in await post.to(ada.email)]
    assert len(tokens) == 5
    await forget(bob)
    assert len(await post.to(bob.email)) == 1
    taken = {"email": ada.email, "password": OTHER, "tenant": ada.tenant}
    await client.post("/api/auth/register", json=taken)
    assert len(await post.to(ada.email)) == 6

    await forget(ada)
    await post.deliver(lambda: utc_now() + timedelta(minutes=13))

    assert len(await post.to(ada.email)) == 7
    assert_problem(await reset(client, tokens[2]), OneTimeTokenInvalid)
    assert (await reset(client, tokens[3])).status_code == 204


async def test_a_stranger_cannot_flood_a_mailbox_by_registering_it(
    client: httpx.AsyncClient, post: PostOffice
):
    found = await register(client)
    for _ in range(8):
        await register(client, email=found["email"])
        await post.deliver()

    assert len(await post.to(found["email"])) == 5
