import asyncio
import json
import secrets
from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI

from services.auth.accounts.errors import InvitationNeeded, RegistrationClosed
from services.auth.passwords.errors import PasswordCommon, PasswordTooShort
from services.auth.tenants.errors import TenantNotFound
from services.auth.users.errors import EmailTaken
from shared.errors import IdempotencyKeyReused, PreconditionFailed, Unauthorized, ValidationFailed
from tests.services.auth.people import PASSWORD, SignedIn, SignIn
from tests.support.services import assert_problem, running

pytestmark = pytest.mark.stack


def registration(**changes: object) -> dict[str, object]:
    email = f"{secrets.token_hex(6)}@example.com"
    return {"email": email, "password": PASSWORD} | changes


async def test_who_registers_is_a_viewer_and_can_sign_in(
    client: httpx.AsyncClient, sign_in: SignIn
):
    body = registration(name="Ada Lovelace", language="fr")

    response = await client.post("/api/auth/register", json=body)

    assert response.status_code == 201, response.text
    found = response.json()
    assert (found["email"], found["name"], found["role"]) == (body["email"], body["name"], "viewer")
    assert found["language"] == "fr"
    assert (await sign_in(str(body["email"]))).user["id"] == found["id"]


async def test_registers_in_the_tenant_named(client: httpx.AsyncClient, boss: SignedIn):
    body = registration(tenant=boss.tenant)

    await client.post("/api/auth/register", json=body)

    listed = (await client.get("/api/users", headers=boss.headers())).json()["items"]
    assert body["email"] in [user["email"] for user in listed]


async def test_an_unknown_tenant_is_refused(client: httpx.AsyncClient):
    response = await client.post("/api/auth/register", json=registration(tenant="nowhere"))

    assert_problem(response, TenantNotFound)


async def test_an_address_is_taken_whatever_its_case(client: httpx.AsyncClient):
    body = registration()
    await client.post("/api/auth/register", json=body)

    response = await client.post(
        "/api/auth/register", json=body | {"email": str(body["email"]).upper()}
    )

    assert_problem(response, EmailTaken)


async def test_of_parallel_registrations_of_one_address_one_succeeds(client: httpx.AsyncClient):
    body = registration()

    responses = await asyncio.gather(
        *(client.post("/api/auth/register", json=body) for _ in range(8))
    )

    made, *refused = sorted(responses, key=lambda response: response.status_code)
    assert made.status_code == 201
    for response in refused:
        assert_problem(response, EmailTaken)


async def test_an_address_stays_taken_when_the_key_is_another(
    client: httpx.AsyncClient, make_app: Callable[..., FastAPI]
):
    body = registration()
    await client.post("/api/auth/register", json=body)

    later = make_app(encryption_key="33" * 32, encryption_key_previous="22" * 32)
    async with running(later) as renewed:
        response = await renewed.post("/api/auth/register", json=body)

    assert_problem(response, EmailTaken)


@pytest.mark.parametrize(
    ("policy", "refusal"), [("closed", RegistrationClosed), ("invite", InvitationNeeded)]
)
async def test_registration_follows_the_policy(
    make_app: Callable[..., FastAPI], policy: str, refusal: type[RegistrationClosed]
):
    async with running(make_app(registration=policy)) as client:
        response = await client.post("/api/auth/register", json=registration())

    assert_problem(response, refusal)


@pytest.mark.parametrize(
    ("password", "refusal"), [("short", PasswordTooShort), ("password2026", PasswordCommon)]
)
async def test_weak_passwords_are_refused(
    client: httpx.AsyncClient, password: str, refusal: type[PasswordTooShort]
):
    response = await client.post("/api/auth/register", json=registration(password=password))

    assert_problem(response, refusal)


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "admin"},
        {"is_admin": True},
        {"tenant_id": "00000000-0000-7000-8000-000000000001"},
        {"email": "no address"},
        {"email": None},
        {"name": "a\x00b"},
        {"language": "de"},
        {"password": ""},
        {"password": "x" * 600},
        {"password": "\ud800 gravel umbrella sonnet"},
        {"tenant": "\ud800"},
        {"tenant": "a\x00"},
    ],
)
async def test_bodies_that_break_the_rules_are_refused(
    client: httpx.AsyncClient, changes: dict[str, object]
):
    response = await client.post(
        "/api/auth/register",
        content=json.dumps(registration(**changes)),
        headers={"Content-Type": "application/json"},
    )

    assert_problem(response, ValidationFailed)


async def test_a_keyed_registration_sent_again_gets_the_same_answer(client: httpx.AsyncClient):
    body = registration()
    headers = {"Idempotency-Key": secrets.token_hex(8)}

    first, again, other = [
        await client.post("/api/auth/register", json=sent, headers=headers)
        for sent in (body, body, registration())
    ]

    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert_problem(other, IdempotencyKeyReused)


async def test_refusals_speak_french(client: httpx.AsyncClient):
    body = registration(password="court")

    response = await client.post(
        "/api/auth/register", json=body, headers={"Accept-Language": "fr-CA;q=0.8, en;q=0.5"}
    )

    assert_problem(response, PasswordTooShort, length_min=12)
    assert response.headers["content-language"] == "fr"
    assert response.json()["detail"] == "Donnez un mot de passe d'au moins 12 caractères."


async def test_me_tells_role_scopes_language_and_tenant(
    client: httpx.AsyncClient, make_user: SignIn
):
    ada = await make_user(name="Ada", language="fr")

    response = await client.get("/api/auth/me", headers=ada.headers())

    found = response.json()
    assert response.status_code == 200
    assert (found["email"], found["name"], found["role"]) == (ada.email, "Ada", "clerk")
    assert found["scopes"] == ["forecast:read", "inventory:read", "stock:write"]
    assert found["language"] == "fr"
    assert (found["tenant"]["slug"], found["tenant"]["currency"]) == (ada.tenant, "USD")


async def test_me_needs_a_token(client: httpx.AsyncClient):
    assert_problem(await client.get("/api/auth/me"), Unauthorized)


async def test_the_own_language_counts_when_nothing_else_is_asked(
    client: httpx.AsyncClient, make_user: SignIn
):
    ada = await make_user(language="fr")

    response = await client.get("/api/users", headers=ada.headers())

    assert response.headers["content-language"] == "fr"


async def test_name_and_language_can_be_changed_and_cleared(
    client: httpx.AsyncClient, make_user: SignIn
):
    ada = await make_user(name="Ada", language="fr")

    named = await client.patch("/api/auth/me", json={"name": "Ada L."}, headers=ada.headers())
    cleared = await client.patch("/api/auth/me", json={"language": None}, headers=ada.headers())

    assert (named.json()["name"], named.json()["language"]) == ("Ada L.", "fr")
    assert (cleared.json()["name"], cleared.json()["language"]) == ("Ada L.", None)


@pytest.mark.parametrize("field", ["role", "email", "password", "locked"])
async def test_other_fields_of_the_own_account_cannot_be_changed(
    client: httpx.AsyncClient, make_user: SignIn, field: str
):
    ada = await make_user()

    response = await client.patch("/api/auth/me", json={field: "admin"}, headers=ada.headers())

    assert_problem(response, ValidationFailed)


async def test_an_edit_of_an_older_state_is_refused(client: httpx.AsyncClient, make_user: SignIn):
    ada = await make_user()
    etag = (await client.get("/api/auth/me", headers=ada.headers())).headers["etag"]
    edit = {"url": "/api/auth/me", "json": {"name": "First"}}
    await client.patch(**edit, headers=ada.headers(**{"If-Match": etag}))

    response = await client.patch(**edit, headers=ada.headers(**{"If-Match": etag}))

    assert_problem(response, PreconditionFailed)


async def test_what_has_not_changed_is_not_sent_again(client: httpx.AsyncClient, boss: SignedIn):
    etag = (await client.get("/api/auth/me", headers=boss.headers())).headers["etag"]

    response = await client.get("/api/auth/me", headers=boss.headers(**{"If-None-Match": etag}))

    assert (response.status_code, response.content) == (304, b"")
