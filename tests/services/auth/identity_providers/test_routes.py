"""Signing in by a company's own provider, over HTTP with a provider that runs here."""

import asyncio
import time
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from oidc_provider_mock import User, run_server_in_thread

from services.auth.factors.errors import PasskeyRefused, TwoFactorCodeWrong, TwoFactorRequired
from services.auth.identity_providers.errors import (
    AddressNotVouched,
    IdentityNotProved,
    IdentityTaken,
    NoAccountHere,
    ProvidedSignInInvalid,
)
from services.auth.sessions.errors import AccountLocked, ApprovalPending
from shared.errors import StepUpRequired
from tests.services.auth.identity_providers.browser import ADA, FINISH, body_of, come_in, start
from tests.services.auth.passkeys.wallet import add_passkey
from tests.services.auth.people import PASSWORD, SignedIn, SignIn, claims_of
from tests.services.auth.post import PostOffice
from tests.support.authenticator import Authenticators
from tests.support.database import Databases
from tests.support.identity_provider import Provider
from tests.support.passkey import SoftPasskey
from tests.support.services import assert_problem, running

KEY = "22" * 32  # Of the app of all tests.

pytestmark = pytest.mark.stack


async def set_registration(databases: Databases, tenant: str, mode: str) -> None:
    connection = await asyncpg.connect(databases.superuser_dsn)
    await connection.execute(
        "UPDATE auth.tenants SET registration = $2 WHERE slug = $1", tenant, mode
    )
    await connection.close()


async def test_an_account_is_linked_by_its_verified_address_and_then_by_its_subject(
    client: httpx.AsyncClient,
    boss: SignedIn,
    make_user: SignIn,
    provider: Provider,
    settled: Any,
    post: PostOffice,
):
    ada = await make_user("ada@example.com", role="clerk")
    assert (await settled(boss)).status_code == 200

    first = await come_in(client, provider, boss.tenant, **ADA)
    later = await come_in(
        client, provider, boss.tenant, **ADA | {"email": "new@example.com", "email_verified": False}
    )

    for answer in (first, later):
        assert answer.status_code == 200, answer.text
        assert answer.json()["user"]["id"] == ada.user["id"]
        assert claims_of(answer.json()["access_token"])["amr"] == ["fed"]
    refreshed = await client.post(
        "/api/auth/refresh", json={"refresh_token": first.json()["refresh_token"]}
    )
    assert refreshed.status_code == 200
    told = [mail["Subject"] for mail in await post.to("ada@example.com")]
    assert told[-1] == "Your company account signs in here now"


async def test_a_link_of_an_earlier_key_is_one_of_the_present_key_after_the_next_sign_in(
    client: httpx.AsyncClient,
    boss: SignedIn,
    make_user: SignIn,
    provider: Provider,
    settled: Any,
    make_app: Any,
    superuser: asyncpg.Connection,
):
    ada = await make_user("ada@example.com", role="clerk")
    await settled(boss)
    assert (await come_in(client, provider, boss.tenant, **ADA)).status_code == 200
    query = "SELECT subject_index, linked_at FROM auth.identity_links WHERE user_id = $1"
    [before] = await superuser.fetch(query, UUID(ada.user["id"]))
    unvouched = ADA | {"email_verified": False}

    async with running(make_app(encryption_key="33" * 32, encryption_key_previous=KEY)) as later:
        answers = await asyncio.gather(
            *(come_in(later, provider, boss.tenant, **unvouched) for _ in range(4))
        )

    assert [answer.status_code for answer in answers] == [200] * 4
    assert {answer.json()["user"]["id"] for answer in answers} == {ada.user["id"]}
    [after] = await superuser.fetch(query, UUID(ada.user["id"]))
    assert after["subject_index"] != before["subject_index"]
    assert after["linked_at"] == before["linked_at"]
    async with running(make_app(encryption_key="33" * 32, encryption_key_previous=KEY)) as last:
        assert (await come_in(last, provider, boss.tenant, **unvouched)).status_code == 200
    assert [after] == await superuser.fetch(query, UUID(ada.user["id"]))


async def test_a_widely_used_provider_program_signs_somebody_in(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, settled: Any, provider: Provider
):
    await make_user("ada@example.com")
    person = User(
        sub="ada@example.com", claims={"email": "ada@example.com", "email_verified": True}
    )
    with run_server_in_thread(user_claims=[person]) as server:
        issuer = f"http://localhost:{server.server_port}"
        set_up = await settled(boss, issuer=issuer, client_id="stockwright", client_secret="s")
        begun = await start(client, boss.tenant)
        async with httpx.AsyncClient() as browser:
            sent_back = await browser.post(
                begun["authorization_url"], data={"sub": "ada@example.com"}
            )
        brought = dict(httpx.URL(sent_back.headers["location"]).params)

        answer = await client.post(FINISH, json=body_of(begun, {"iss": issuer, **brought}))

    assert set_up.status_code == 200, set_up.text
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["email"] == "ada@example.com"


async def test_es256_is_taken_too(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, provider: Provider, settled: Any
):
    await make_user("ada@example.com")
    await settled(boss)
    provider.sign = provider.signed_by_ec

    assert (await come_in(client, provider, boss.tenant, **ADA)).status_code == 200


@pytest.mark.parametrize(
    "change", [{"email_verified": False}, {"email_verified": "true"}, {"email": "none"}]
)
async def test_an_address_that_the_provider_does_not_vouch_for_links_nothing(
    client: httpx.AsyncClient,
    boss: SignedIn,
    make_user: SignIn,
    provider: Provider,
    settled: Any,
    change: dict[str, Any],
):
    await make_user("ada@example.com")
    await settled(boss)

    assert_problem(await come_in(client, provider, boss.tenant, **ADA | change), AddressNotVouched)


async def test_an_account_stays_with_the_identity_that_has_it(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, provider: Provider, settled: Any
):
    await make_user("ada@example.com")
    await settled(boss)
    await come_in(client, provider, boss.tenant, **ADA)

    answer = await come_in(client, provider, boss.tenant, **ADA | {"sub": "eve-2"})

    assert_problem(answer, IdentityTaken)


@pytest.mark.parametrize("mode", ["open", "invite", "closed"])
async def test_who_is_new_gets_in_as_the_tenant_says(
    client: httpx.AsyncClient,
    boss: SignedIn,
    provider: Provider,
    settled: Any,
    databases: Databases,
    mode: str,
):
    await settled(boss)
    invited = ADA | {"sub": "bob", "email": "bob@example.com"}
    await client.post(
        "/api/invitations",
        json={"email": "bob@example.com", "role": "clerk"},
        headers=boss.headers(),
    )
    await set_registration(databases, boss.tenant, mode)

    new = await come_in(client, provider, boss.tenant, **ADA)
    bob = await come_in(client, provider, boss.tenant, **invited)

    if mode == "open":
        assert new.status_code == 200, new.text
        assert (new.json()["user"]["role"], new.json()["user"]["name"]) == ("viewer", "Ada L.")
    else:
        assert_problem(new, NoAccountHere)
    if mode == "closed":
        assert_problem(bob, NoAccountHere)
    else:
        assert (bob.status_code, bob.json()["user"]["role"]) == (200, "clerk")


async def test_who_may_not_sign_in_may_not_this_way_either(
    client: httpx.AsyncClient,
    boss: SignedIn,
    make_user: SignIn,
    post: Any,
    provider: Provider,
    settled: Any,
):
    """Locked, deactivated, and an address that a stranger registered with his own password."""
    ada = await make_user("ada@example.com")
    await settled(boss)
    path = f"/api/users/{ada.user['id']}"
    eve = {"email": "eve@example.com", "password": PASSWORD, "tenant": boss.tenant}
    await client.post("/api/auth/register", json=eve)
    await post.deliver()

    await client.post(f"{path}/lock", headers=boss.headers())
    locked = await come_in(client, provider, boss.tenant, **ADA)
    await client.post(f"{path}/deactivate", json={"reason": "left"}, headers=boss.headers())
    gone = await come_in(client, provider, boss.tenant, **ADA)
    pending = await come_in(
        client, provider, boss.tenant, **ADA | {"sub": "eve", "email": "eve@example.com"}
    )
    strangers = await client.post("/api/auth/login", json=eve)

    assert_problem(locked, AccountLocked)
    assert_problem(gone, NoAccountHere)
    assert_problem(pending, ApprovalPending)
    assert strangers.status_code in {401, 403}


async def test_our_second_factor_follows_unless_the_provider_is_trusted_for_one(
    client: httpx.AsyncClient,
    boss: SignedIn,
    provider: Provider,
    settled: Any,
    authenticators: Authenticators,
):
    await settled(boss)
    who = ADA | {"sub": "boss", "email": boss.email, "amr": ["pwd", "mfa"]}
    begun = await start(client, boss.tenant)
    body = body_of(begun, provider.sign_in(begun["authorization_url"], **who))

    without = await client.post(FINISH, json=body)
    wrong = await client.post(FINISH, json=body | {"code": "000000"})
    elsewhere = await client.post(FINISH, json=body | {"binding": "another", "code": "000000"})
    await settled(boss, vouches_for_factor=True)
    trusted = await come_in(client, provider, boss.tenant, **who)
    not_said = await come_in(client, provider, boss.tenant, **who | {"amr": ["pwd"]})

    assert_problem(without, TwoFactorRequired, methods=["otp", "recovery"])
    assert_problem(wrong, TwoFactorCodeWrong)
    assert_problem(elsewhere, ProvidedSignInInvalid)
    assert trusted.status_code == 200, trusted.text
    assert claims_of(trusted.json()["access_token"])["amr"] == ["fed", "mfa"]
    assert_problem(not_said, TwoFactorRequired, methods=["otp", "recovery"])


async def test_a_passkey_is_a_second_factor_here_too(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, provider: Provider, settled: Any
):
    phone = await add_passkey(await make_user("ada@example.com"))
    await settled(boss)
    begun = await start(client, boss.tenant)
    body = body_of(begun, provider.sign_in(begun["authorization_url"], **ADA))

    asked = await client.post(FINISH, json=body)
    wrong = await client.post(
        FINISH, json=body | {"passkey": SoftPasskey().get(asked.json()["passkey"])}
    )
    again = await client.post(FINISH, json=body)
    signed_in = await client.post(
        FINISH, json=body | {"passkey": phone.get(again.json()["passkey"])}
    )

    assert_problem(asked, TwoFactorRequired, methods=["passkey", "recovery"])
    assert_problem(wrong, PasskeyRefused)
    assert signed_in.status_code == 200, signed_in.text
    assert claims_of(signed_in.json()["access_token"])["amr"] == ["fed", "hwk"]


async def test_who_has_no_password_proves_himself_anew_by_the_provider(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, provider: Provider, settled: Any
):
    """The provider's word counts from when it says that it saw him, unsaid not at all."""
    await make_user("ada@example.com")
    await settled(boss)
    key = {"name": "Till", "scopes": ["inventory:read"]}

    async def add_key(answer: httpx.Response) -> httpx.Response:
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return await client.post("/api/auth/api-keys", json=key, headers=headers)

    async def anew(**said: Any) -> httpx.Response:
        begun = await start(client, boss.tenant, fresh=True)
        asked = httpx.URL(begun["authorization_url"]).params
        assert (asked["prompt"], asked["max_age"]) == ("login", "0")
        brought = provider.sign_in(begun["authorization_url"], **ADA, **said)
        return await client.post(FINISH, json=body_of(begun, brought))

    hours_ago = int(time.time()) - 7200
    unsaid = await come_in(client, provider, boss.tenant, **ADA)
    long_ago = await come_in(client, provider, boss.tenant, **ADA, auth_time=hours_ago)
    just_now = await anew(auth_time=int(time.time()))

    for stale in (unsaid, long_ago):
        assert stale.status_code == 200, stale.text
        assert_problem(await add_key(stale), StepUpRequired)
    assert (await add_key(just_now)).status_code == 201
    for said in ({}, {"auth_time": hours_ago}):
        assert_problem(await anew(**said), IdentityNotProved)


async def test_an_administrator_without_a_factor_must_enrol_first(
    client: httpx.AsyncClient, boss: SignedIn, provider: Provider, settled: Any
):
    await settled(boss)
    await client.post(
        "/api/invitations",
        json={"email": "ada@example.com", "role": "admin"},
        headers=boss.headers(),
    )

    answer = await come_in(client, provider, boss.tenant, **ADA)

    assert answer.status_code == 200, answer.text
    assert answer.json()["enrolment_required"] is True
    assert "access_token" not in answer.json()
