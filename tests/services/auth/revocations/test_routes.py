from collections.abc import Awaitable, Callable

import httpx
import pytest

from shared.errors import MissingScope, Unauthorized
from tests.services.auth.people import Clock, SignedIn, SignIn, claims_of
from tests.support.services import assert_problem, service_headers

pytestmark = pytest.mark.stack

GATEWAY = service_headers("gateway", "revocations:read", target="auth")


async def told(client: httpx.AsyncClient) -> dict[str, dict[str, int]]:
    response = await client.get("/internal/revocations", headers=GATEWAY)
    assert response.status_code == 200, response.text
    found: dict[str, dict[str, int]] = response.json()
    return found


@pytest.mark.parametrize("change", ["role", "lock"])
async def test_a_changed_user_s_tokens_are_refused_by_version(
    client: httpx.AsyncClient, boss: SignedIn, make_user: SignIn, change: str
):
    ada = await make_user()
    claims = claims_of(ada.access_token)
    path = f"/api/users/{ada.user['id']}"
    assert claims["sub"] not in (await told(client))["versions"]

    if change == "role":
        await client.patch(path, json={"role": "viewer"}, headers=boss.headers())
    else:
        await client.post(f"{path}/lock", headers=boss.headers())

    assert (await told(client))["versions"][claims["sub"]] > claims["ver"]


async def test_revocations_of_all_tenants_are_told(
    client: httpx.AsyncClient, make_tenant: Callable[..., Awaitable[SignedIn]]
):
    people = [await make_tenant(), await make_tenant()]

    for person in people:
        await client.post("/api/auth/logout", headers=person.headers())

    sessions = (await told(client))["sessions"]
    assert {claims_of(person.access_token)["sid"] for person in people} <= set(sessions)


async def test_a_changed_language_is_told_until_every_token_with_the_old_one_has_expired(
    client: httpx.AsyncClient, make_user: SignIn, clock: Clock
):
    ada = await make_user(language="en")
    assert ada.user["id"] not in (await told(client))["languages"]

    await client.patch("/api/auth/me", json={"language": "fr"}, headers=ada.headers())

    assert (await told(client))["languages"][ada.user["id"]] == "fr"
    clock.advance(seconds=1200)
    assert ada.user["id"] not in (await told(client))["languages"]


async def test_who_clears_the_own_language_has_the_tenants(
    client: httpx.AsyncClient, make_tenant: Callable[..., Awaitable[SignedIn]]
):
    boss = await make_tenant(language="fr")
    await client.patch("/api/auth/me", json={"language": "en"}, headers=boss.headers())

    await client.patch("/api/auth/me", json={"language": None}, headers=boss.headers())

    assert (await told(client))["languages"][boss.user["id"]] == "fr"


async def test_a_changed_name_changes_no_language(client: httpx.AsyncClient, make_user: SignIn):
    ada = await make_user(language="fr")

    await client.patch("/api/auth/me", json={"name": "A", "language": "fr"}, headers=ada.headers())

    assert ada.user["id"] not in (await told(client))["languages"]


async def test_revocations_are_forgotten_when_every_token_has_expired(
    client: httpx.AsyncClient, boss: SignedIn, clock: Clock
):
    await client.post("/api/auth/logout", headers=boss.headers())
    session_id = claims_of(boss.access_token)["sid"]

    clock.advance(seconds=900)
    assert session_id in (await told(client))["sessions"]
    clock.advance(seconds=300)
    assert session_id not in (await told(client))["sessions"]


async def test_only_the_gateway_is_told(client: httpx.AsyncClient, boss: SignedIn):
    path = "/internal/revocations"

    assert_problem(await client.get(path), Unauthorized)
    assert_problem(await client.get(path, headers=boss.headers()), Unauthorized)
    others = service_headers("reporting", "journal:read", target="auth")
    assert_problem(await client.get(path, headers=others), MissingScope)
