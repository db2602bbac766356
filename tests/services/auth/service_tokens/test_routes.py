import httpx
import pytest

from services.auth.service_tokens.errors import InvalidClient, NothingToCall
from services.auth.service_tokens.rules import SCOPES
from shared.errors import Unauthorized, ValidationFailed
from shared.security.claims import InvalidToken, ServiceClaims, UserClaims
from shared.security.tokens import TokenVerifier
from tests.services.auth.people import CLIENT_SECRET
from tests.support.services import KEYS, assert_problem

pytestmark = pytest.mark.stack


CALLS = [(name, target) for name in sorted(SCOPES) for target in sorted(SCOPES[name])]


async def token_of(client: httpx.AsyncClient, name: str, target: str = "auth") -> str:
    body = {"client_id": name, "client_secret": CLIENT_SECRET, "audience": target}
    response = await client.post("/internal/token", json=body)
    assert response.status_code == 200, response.text
    assert response.json()["expires_in"] == 300
    return str(response.json()["access_token"])


@pytest.mark.asvs("C05")
@pytest.mark.parametrize(("name", "target"), CALLS)
async def test_a_service_gets_a_token_for_one_other_with_the_scopes_needed_there(
    client: httpx.AsyncClient, name: str, target: str
):
    claims = await TokenVerifier(KEYS, ServiceClaims).verify(await token_of(client, name, target))

    assert (claims.sub, claims.target, claims.scopes) == (name, target, SCOPES[name][target])
    assert claims.exp - claims.iat == 300


@pytest.mark.parametrize(
    "body",
    [
        {"client_id": "gateway", "client_secret": "wrong", "audience": "auth"},
        {"client_id": "auth", "client_secret": CLIENT_SECRET, "audience": "auth"},
        {"client_id": "nobody", "client_secret": CLIENT_SECRET, "audience": "auth"},
    ],
)
async def test_unknown_services_and_wrong_secrets_are_refused_alike(
    client: httpx.AsyncClient, body: dict[str, str]
):
    assert_problem(await client.post("/internal/token", json=body), InvalidClient)


async def test_a_body_without_secret_is_refused(client: httpx.AsyncClient):
    response = await client.post("/internal/token", json={"client_id": "gateway"})

    assert_problem(response, ValidationFailed)


async def test_a_service_s_token_is_no_person_s(client: httpx.AsyncClient):
    token = await token_of(client, "reporting")

    with pytest.raises(InvalidToken):
        await TokenVerifier(KEYS, UserClaims).verify(token)
    response = await client.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert_problem(response, Unauthorized)


async def test_a_token_for_another_service_is_refused(client: httpx.AsyncClient):
    answers = {
        (name, target): (
            await client.get(
                "/internal/journal",
                headers={"Authorization": f"Bearer {await token_of(client, name, target)}"},
            )
        ).status_code
        for name, target in CALLS
    }

    assert answers.pop(("reporting", "auth")) == answers.pop(("inventory", "auth")) == 200
    assert answers.pop(("gateway", "auth")) == answers.pop(("forecasting", "auth")) == 403
    assert set(answers.values()) == {401}


async def test_a_service_gets_no_token_for_one_that_it_has_nothing_to_call_at(
    client: httpx.AsyncClient,
):
    body = {"client_id": "gateway", "client_secret": CLIENT_SECRET, "audience": "inventory"}

    refused = await client.post("/internal/token", json=body)

    assert_problem(refused, NothingToCall, target="inventory")
