import httpx
import pytest

from services.auth.service_tokens.errors import InvalidClient
from services.auth.service_tokens.rules import SCOPES
from shared.errors import Unauthorized, ValidationFailed
from shared.security.claims import InvalidToken, ServiceClaims, UserClaims
from shared.security.tokens import TokenVerifier
from tests.services.auth.people import CLIENT_SECRET
from tests.support.services import KEYS, assert_problem

pytestmark = pytest.mark.stack


async def token_of(client: httpx.AsyncClient, name: str) -> str:
    body = {"client_id": name, "client_secret": CLIENT_SECRET}
    response = await client.post("/internal/token", json=body)
    assert response.status_code == 200, response.text
    assert response.json()["expires_in"] == 300
    return str(response.json()["access_token"])


@pytest.mark.parametrize("name", sorted(SCOPES))
async def test_a_service_gets_a_token_with_its_scopes(client: httpx.AsyncClient, name: str):
    claims = await TokenVerifier(KEYS, ServiceClaims).verify(await token_of(client, name))

    assert (claims.sub, claims.scopes) == (name, SCOPES[name])
    assert claims.exp - claims.iat == 300


@pytest.mark.parametrize(
    "body",
    [
        {"client_id": "gateway", "client_secret": "wrong"},
        {"client_id": "auth", "client_secret": CLIENT_SECRET},
        {"client_id": "nobody", "client_secret": CLIENT_SECRET},
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


async def test_followers_read_the_journal_with_it_and_the_gateway_cannot(
    client: httpx.AsyncClient,
):
    statuses = {
        name: (
            await client.get(
                "/internal/journal",
                headers={"Authorization": f"Bearer {await token_of(client, name)}"},
            )
        ).status_code
        for name in SCOPES
    }

    assert statuses == {"gateway": 403, "inventory": 200, "forecasting": 200, "reporting": 200}
