import httpx
import pytest

from services.auth.sessions.errors import RefreshInvalid, SessionNotFound
from shared.contracts.auth.revocations import RevocationsRead
from tests.services.auth.people import SignedIn, SignIn, claims_of
from tests.support.services import assert_problem, service_headers

pytestmark = [pytest.mark.stack, pytest.mark.asvs("C15")]


async def listed(who: SignedIn) -> list[dict[str, object]]:
    response = await who.client.get("/api/auth/sessions", headers=who.headers())
    assert response.status_code == 200, response.text
    found: list[dict[str, object]] = response.json()["items"]
    return found


async def told(client: httpx.AsyncClient) -> list[str]:
    headers = service_headers("gateway", "revocations:read", target="auth")
    response = await client.get("/internal/revocations", headers=headers)
    return RevocationsRead.model_validate(response.json()).sessions


async def test_shows_device_address_and_when_last_seen_the_last_used_first(
    client: httpx.AsyncClient, make_user: SignIn, sign_in: SignIn
):
    ada = await make_user()
    other = await sign_in(ada.email, tenant=ada.tenant)
    token = {"refresh_token": ada.refresh_token}
    await client.post("/api/auth/refresh", json=token, headers={"User-Agent": "Till 7"})

    mine, others = await listed(ada)

    assert (mine["id"], mine["current"]) == (claims_of(ada.access_token)["sid"], True)
    assert (others["id"], others["current"]) == (claims_of(other.access_token)["sid"], False)
    assert mine["user_agent"] == "Till 7"
    assert str(others["user_agent"]).startswith("python-httpx")
    assert mine["address"]
    assert mine["methods"] == ["pwd"]
    assert str(mine["last_seen_at"]) > str(mine["started_at"])


async def test_one_session_is_revoked_by_its_owner_alone(
    client: httpx.AsyncClient, make_user: SignIn, sign_in: SignIn
):
    ada, bob = await make_user(), await make_user("bob@example.com")
    other = await sign_in(ada.email, tenant=ada.tenant)
    session_id = claims_of(other.access_token)["sid"]
    path = f"/api/auth/sessions/{session_id}"

    assert_problem(await client.delete(path, headers=bob.headers()), SessionNotFound)
    assert (await client.delete(path, headers=ada.headers())).status_code == 204
    assert_problem(await client.delete(path, headers=ada.headers()), SessionNotFound)

    assert [one["current"] for one in await listed(ada)] == [True]
    assert session_id in await told(client)
    refreshed = await client.post("/api/auth/refresh", json={"refresh_token": other.refresh_token})
    assert_problem(refreshed, RefreshInvalid)


async def test_all_others_are_revoked_and_this_one_goes_on(
    client: httpx.AsyncClient, make_user: SignIn, sign_in: SignIn
):
    ada = await make_user()
    others = [await sign_in(ada.email, tenant=ada.tenant) for _ in range(3)]

    ended = await client.delete("/api/auth/sessions", headers=ada.headers())

    assert ended.status_code == 204
    assert {claims_of(one.access_token)["sid"] for one in others} <= set(await told(client))
    assert len(await listed(ada)) == 1
    token = {"refresh_token": ada.refresh_token}
    assert (await client.post("/api/auth/refresh", json=token)).status_code == 200


async def test_what_ended_with_all_sessions_is_not_listed(
    client: httpx.AsyncClient, make_user: SignIn, sign_in: SignIn
):
    ada = await make_user()
    await client.post("/api/auth/logout", json={"all": True}, headers=ada.headers())

    again = await sign_in(ada.email, tenant=ada.tenant)

    assert [one["current"] for one in await listed(again)] == [True]
