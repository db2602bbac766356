import httpx
import pytest

from services.auth.sessions.errors import RefreshInvalid
from shared.errors import Unauthorized, ValidationFailed
from tests.services.auth.people import SignedIn, SignIn, claims_of
from tests.support.services import assert_problem, service_headers

pytestmark = pytest.mark.stack


async def revocations(client: httpx.AsyncClient) -> dict[str, object]:
    headers = service_headers("gateway", "revocations:read", target="auth")
    found: dict[str, object] = (await client.get("/internal/revocations", headers=headers)).json()
    return found


async def test_a_session_ends_and_the_gateway_is_told(
    client: httpx.AsyncClient, boss: SignedIn, sign_in: SignIn
):
    other = await sign_in(boss.email, tenant=boss.tenant)

    response = await client.post("/api/auth/logout", headers=boss.headers())

    assert (response.status_code, response.content) == (204, b"")
    refresh = [
        await client.post("/api/auth/refresh", json={"refresh_token": who.refresh_token})
        for who in (boss, other)
    ]
    assert_problem(refresh[0], RefreshInvalid)
    assert refresh[1].status_code == 200
    told = await revocations(client)
    assert claims_of(boss.access_token)["sid"] in told["sessions"]
    assert claims_of(other.access_token)["sid"] not in told["sessions"]


async def test_once_signed_out_the_token_is_good_for_nothing(
    client: httpx.AsyncClient, boss: SignedIn
):
    answers = [await client.post("/api/auth/logout", headers=boss.headers()) for _ in range(2)]

    assert answers[0].status_code == 204
    assert_problem(answers[1], Unauthorized)


async def test_all_ends_every_session_of_the_user(
    client: httpx.AsyncClient, make_user: SignIn, sign_in: SignIn
):
    ada, bob = await make_user(), await make_user("bob@example.com")
    other = await sign_in(ada.email, tenant=ada.tenant)

    response = await client.post("/api/auth/logout", json={"all": True}, headers=ada.headers())

    assert response.status_code == 204
    for who in (ada, other):
        body = {"refresh_token": who.refresh_token}
        assert_problem(await client.post("/api/auth/refresh", json=body), RefreshInvalid)
    told = await revocations(client)
    claims = claims_of(ada.access_token)
    assert told["versions"][claims["sub"]] == claims["ver"] + 1
    assert claims_of(bob.access_token)["sub"] not in told["versions"]
    again = await sign_in(ada.email, tenant=ada.tenant)
    assert claims_of(again.access_token)["ver"] == claims["ver"] + 1
    body = {"refresh_token": again.refresh_token}
    assert (await client.post("/api/auth/refresh", json=body)).status_code == 200


async def test_needs_a_token(client: httpx.AsyncClient):
    assert_problem(await client.post("/api/auth/logout"), Unauthorized)


async def test_unknown_fields_are_refused(client: httpx.AsyncClient, boss: SignedIn):
    response = await client.post(
        "/api/auth/logout", json={"everywhere": True}, headers=boss.headers()
    )

    assert_problem(response, ValidationFailed)
