import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.auth.passwords.errors import PasswordCommon
from services.auth.tenants.errors import TenantSlugTaken
from shared.errors import MissingScope, ValidationFailed
from tests.services.auth.people import PASSWORD, SignedIn, SignIn, claims_of
from tests.support.database import Databases
from tests.support.services import assert_problem, running

pytestmark = pytest.mark.stack


def wanted(**changes: str) -> dict[str, str]:
    return {
        "name": "Acme Trading",
        "slug": f"t{secrets.token_hex(6)}",
        "admin_email": "boss@example.com",
        "admin_password": PASSWORD,
    } | changes


async def test_a_new_tenant_has_an_administrator_who_can_sign_in(
    client: httpx.AsyncClient, platform_admin: SignedIn, sign_in: SignIn
):
    body = wanted(language="fr", currency="EUR")

    response = await client.post("/api/tenants", json=body, headers=platform_admin.headers())

    found = response.json()
    assert response.status_code == 201, response.text
    assert {n: found[n] for n in ("name", "slug", "language", "currency")} == {
        n: body[n] for n in ("name", "slug", "language", "currency")
    }
    boss = await sign_in("boss@example.com", tenant=body["slug"])
    assert claims_of(boss.access_token)["tid"] == found["id"]
    assert boss.user["role"] == "admin"


async def test_its_administrator_manages_no_tenants(client: httpx.AsyncClient, boss: SignedIn):
    assert "tenant:manage" not in claims_of(boss.access_token)["scopes"]
    assert_problem(await client.get("/api/tenants", headers=boss.headers()), MissingScope)
    response = await client.post("/api/tenants", json=wanted(), headers=boss.headers())
    assert_problem(response, MissingScope)


async def test_a_slug_is_taken_once(client: httpx.AsyncClient, platform_admin: SignedIn):
    body = wanted()
    await client.post("/api/tenants", json=body, headers=platform_admin.headers())

    response = await client.post("/api/tenants", json=body, headers=platform_admin.headers())

    assert_problem(response, TenantSlugTaken)


async def test_a_tenant_made_without_a_language_has_the_installation_s(
    make_app: Callable[..., FastAPI], platform_admin: SignedIn
):
    async with running(make_app(default_language="fr")) as client:
        answer = await client.post("/api/tenants", json=wanted(), headers=platform_admin.headers())

    assert answer.json()["language"] == "fr"


async def test_of_parallel_tenants_of_one_slug_one_is_made(
    client: httpx.AsyncClient, platform_admin: SignedIn
):
    body = wanted()

    answers = await asyncio.gather(
        *(
            client.post("/api/tenants", json=body, headers=platform_admin.headers())
            for _ in range(4)
        )
    )

    made, *refused = sorted(answers, key=lambda answer: answer.status_code)
    assert made.status_code == 201
    for answer in refused:
        assert_problem(answer, TenantSlugTaken)


async def test_the_same_key_and_body_make_one_tenant(
    client: httpx.AsyncClient, platform_admin: SignedIn
):
    body, key = wanted(), {"Idempotency-Key": secrets.token_hex(8)}

    first, again = [
        await client.post("/api/tenants", json=body, headers=platform_admin.headers(**key))
        for _ in range(2)
    ]

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content


async def test_a_refused_tenant_leaves_nothing_behind(
    client: httpx.AsyncClient, platform_admin: SignedIn
):
    body = wanted()

    refused = await client.post(
        "/api/tenants",
        json=body | {"admin_password": "password2026"},
        headers=platform_admin.headers(),
    )
    accepted = await client.post("/api/tenants", json=body, headers=platform_admin.headers())

    assert_problem(refused, PasswordCommon)
    assert accepted.status_code == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"slug": "Not A Slug"},
        {"currency": "XXZ"},
        {"currency": "eur"},
        {"language": "de"},
        {"name": ""},
        {"admin_email": "nobody"},
        {"id": "00000000-0000-7000-8000-000000000001"},
    ],
)
async def test_bodies_that_break_the_rules_are_refused(
    client: httpx.AsyncClient, platform_admin: SignedIn, changes: dict[str, str]
):
    response = await client.post(
        "/api/tenants?lang=fr", json=wanted(**changes), headers=platform_admin.headers()
    )

    assert_problem(response, ValidationFailed)


async def test_tenants_are_listed_in_pages(
    client: httpx.AsyncClient,
    platform_admin: SignedIn,
    make_tenant: Callable[..., Awaitable[SignedIn]],
):
    made = [(await make_tenant()).tenant for _ in range(3)]
    seen: list[str] = []
    query: dict[str, str] = {"limit": "2"}

    while True:
        page = await client.get("/api/tenants", params=query, headers=platform_admin.headers())
        seen += [tenant["slug"] for tenant in page.json()["items"]]
        if page.json()["next_cursor"] is None:
            break
        query["cursor"] = page.json()["next_cursor"]

    assert seen[0] == "default"
    assert seen[-3:] == made
    assert len(seen) == len(set(seen))


async def test_its_journal_begins_with_its_creation_and_the_platform_s_names_it(
    client: httpx.AsyncClient, platform_admin: SignedIn, databases: Databases
):
    made = await client.post(
        "/api/tenants", json=wanted(currency="EUR"), headers=platform_admin.headers()
    )
    tenant_id = made.json()["id"]

    connection = await asyncpg.connect(databases.superuser_dsn)
    own = await connection.fetch(
        "SELECT type, actor, data FROM auth.journal WHERE tenant_id = $1 ORDER BY seq", tenant_id
    )
    platform = await connection.fetchrow(
        "SELECT tenant_id, type FROM auth.journal WHERE subject = $1 AND tenant_id <> $2",
        f"tenant:{tenant_id}",
        tenant_id,
    )
    await connection.close()
    assert [row["type"] for row in own] == ["auth.tenant-created.v1", "auth.user-registered.v1"]
    assert {row["actor"] for row in own} == {f"user:{platform_admin.user['id']}"}
    assert json.loads(own[0]["data"])["currency"] == "EUR"
    assert platform["type"] == "auth.tenant-provisioned.v1"
    assert str(platform["tenant_id"]) == claims_of(platform_admin.access_token)["tid"]
