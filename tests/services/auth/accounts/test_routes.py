import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.auth.accounts.errors import (
    InvitationNeeded,
    NotPending,
    RegistrationClosed,
)
from services.auth.one_time.errors import OneTimeTokenInvalid
from services.auth.passwords.errors import PasswordCommon, PasswordTooShort
from services.auth.sessions.errors import (
    AddressUnverified,
    ApprovalPending,
    InvalidCredentials,
)
from shared.errors import (
    IdempotencyKeyReused,
    PreconditionFailed,
    Unauthorized,
    ValidationFailed,
)
from tests.services.auth.people import PASSWORD, Clock, SignedIn, SignIn
from tests.services.auth.post import PostOffice
from tests.support.services import assert_problem, running

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


async def test_who_registers_is_a_viewer_once_the_address_is_verified(
    client: httpx.AsyncClient, post: PostOffice
):
    found = await register(client, name="Ada Lovelace", language="fr")
    assert (found["name"], found["role"], found["status"]) == (
        "Ada Lovelace", "viewer", "unverified",
    )  # fmt: skip
    token = await post.token_to(found["email"])
    assert_problem(await log_in(client, found), AddressUnverified)

    verified = await verify(client, token)

    assert verified.status_code == 200
    assert (verified.json()["id"], verified.json()["status"]) == (found["id"], "active")
    signed_in = (await log_in(client, found)).json()
    assert (signed_in["user"]["id"], signed_in["user"]["language"]) == (found["id"], "fr")
    [mail] = await post.to(found["email"])
    assert mail["Subject"] == "Vérifiez votre adresse"
    assert mail["Auto-Submitted"] == "auto-generated"


async def test_where_the_tenant_is_not_open_an_administrator_approves_too(
    client: httpx.AsyncClient, boss: SignedIn, post: PostOffice
):
    found = await register(client, tenant=boss.tenant)
    await verify(client, await post.token_to(found["email"]))
    assert_problem(await log_in(client, found), ApprovalPending)
    path = f"/api/users/{found['id']}/approve"

    pending = await client.get("/api/users?status=pending", headers=boss.headers())
    assert [user["id"] for user in pending.json()["items"]] == [found["id"]]
    approved = await client.post(path, headers=boss.headers())

    assert approved.json()["status"] == "active"
    assert (await log_in(client, found)).status_code == 200
    assert_problem(await client.post(path, headers=boss.headers()), NotPending)


async def test_where_the_tenant_is_closed_nobody_registers_and_only_the_mail_says_so(
    client: httpx.AsyncClient, make_tenant: MakeTenant, post: PostOffice
):
    boss = await make_tenant(registration="closed")

    found = await register(client, tenant=boss.tenant)

    [mail] = await post.to(found["email"])
    assert "ask one for an invitation" in mail.get_content().lower().replace("\n", " ")
    assert_problem(await log_in(client, found), InvalidCredentials)


@pytest.mark.asvs("A05")
async def test_the_answer_is_the_same_whether_address_or_tenant_exist(
    client: httpx.AsyncClient, post: PostOffice
):
    taken = await register(client)
    await verify(client, await post.token_to(taken["email"]))
    answers = [
        await client.post("/api/auth/register", json=registration(**changes))
        for changes in ({"email": taken["email"]}, {}, {"tenant": "nowhere"})
    ]

    assert {answer.status_code for answer in answers} == {201}
    made_up = ("id", "email", "created_at")
    shapes = [{k: v for k, v in a.json().items() if k not in made_up} for a in answers]
    assert shapes[0] == shapes[1] == shapes[2]
    assert len({answer.json()["id"] for answer in answers}) == 3
    for path in ("forgot-password", "resend-verification"):
        asked = [
            await client.post(f"/api/auth/{path}", json=body)
            for body in ({"email": taken["email"]}, {"email": "nobody@example.com"},
                         {"email": "nobody@example.com", "tenant": "nowhere"})
        ]  # fmt: skip
        assert {(a.status_code, a.content) for a in asked} == {(202, b'{"accepted":true}')}


async def test_the_owner_of_a_taken_address_is_told(client: httpx.AsyncClient, post: PostOffice):
    taken = await register(client)
    await verify(client, await post.token_to(taken["email"]))

    await register(client, email=taken["email"].upper())

    *_, told = await post.to(taken["email"])
    assert told["Subject"] == "You have an account already"
    assert "ot_" not in told.get_content()
    assert (await log_in(client, taken)).status_code == 200


@pytest.mark.parametrize("opened", ["first", "last"])
async def test_an_unverified_address_is_nobodys_yet(
    client: httpx.AsyncClient, post: PostOffice, opened: str
):
    """Of two who register one address, neither password counts: either may be a stranger's."""
    first = await register(client)
    tokens = {"first": await post.token_to(first["email"])}
    await register(client, email=first["email"], password=NEW)
    tokens["last"] = await post.token_to(first["email"])

    assert (await verify(client, tokens[opened])).status_code == 200

    assert_problem(await log_in(client, first), InvalidCredentials)
    assert_problem(await log_in(client, first, password=NEW), InvalidCredentials)
    await client.post("/api/auth/forgot-password", json={"email": first["email"]})
    body = {"token": await post.token_to(first["email"]), "new_password": "zebra kettle orbit 44"}
    assert (await client.post("/api/auth/reset-password", json=body)).status_code == 204
    assert (await log_in(client, first, password=body["new_password"])).status_code == 200


async def test_of_parallel_registrations_of_one_address_one_account_comes(
    client: httpx.AsyncClient, boss: SignedIn, post: PostOffice
):
    body = registration(tenant=boss.tenant)

    await asyncio.gather(*(client.post("/api/auth/register", json=body) for _ in range(8)))
    await post.deliver()

    listed = await client.get("/api/users?status=unverified", headers=boss.headers())
    assert len(listed.json()["items"]) == 1
    await verify(client, await post.token_to(str(body["email"])))


async def test_a_verification_is_sent_again_and_either_token_is_good_once(
    client: httpx.AsyncClient, post: PostOffice
):
    found = await register(client)
    old = await post.token_to(found["email"])

    await client.post("/api/auth/resend-verification", json={"email": found["email"]})

    new = await post.token_to(found["email"])
    assert (await verify(client, old)).status_code == 200
    assert_problem(await verify(client, new), OneTimeTokenInvalid)
    assert_problem(await verify(client, old), OneTimeTokenInvalid)


async def test_a_token_ends(client: httpx.AsyncClient, post: PostOffice, clock: Clock):
    found = await register(client)
    token = await post.token_to(found["email"])
    clock.advance(days=1, seconds=1)

    assert_problem(await verify(client, token), OneTimeTokenInvalid)


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
        for sent in (body, body, body | {"name": "Ada"})
    ]

    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert_problem(other, IdempotencyKeyReused)


@pytest.mark.parametrize("path", ["forgot-password", "resend-verification", "register"])
async def test_a_key_tells_neither_of_others_nor_which_tenants_there_are(
    client: httpx.AsyncClient, boss: SignedIn, path: str
):
    for named in (boss.tenant, "nowhere"):
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        body = registration(tenant=named)
        if path != "register":
            del body["password"]
        changed: list[dict[str, object]] = [{}, {"tenant": "default"}, {"email": "a@b.example"}]

        answers = [
            await client.post(f"/api/auth/{path}", json=body | change, headers=headers)
            for change in changed
        ]

        assert {answer.status_code for answer in answers} == {201 if path == "register" else 202}


async def test_a_password_may_not_be_the_tenant_as_asked_for_whether_it_is_there_or_not(
    client: httpx.AsyncClient, boss: SignedIn, make_tenant: MakeTenant
):
    quaint = await make_tenant(name="Quaint Marmalade")

    for tenant in (quaint.tenant, "quaint"):
        body = registration(tenant=tenant, password="quaintmarmalade")
        assert (await client.post("/api/auth/register", json=body)).status_code == 201
        close = registration(tenant=tenant, password=f"{tenant}{tenant}{tenant}")
        assert_problem(await client.post("/api/auth/register", json=close), PasswordCommon)


async def test_refusals_speak_french(client: httpx.AsyncClient):
    body = registration(password="court")

    response = await client.post(
        "/api/auth/register", json=body, headers={"Accept-Language": "fr-CA;q=0.8, en;q=0.5"}
    )

    assert_problem(response, PasswordTooShort, length_min=12)
    assert response.headers["content-language"] == "fr"
    assert response.json()["detail"] == "Donnez un mot de passe d\u2019au moins 12 caractères."


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
