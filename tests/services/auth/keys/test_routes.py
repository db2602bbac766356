import httpx
import pytest

from shared.security.claims import UserClaims
from shared.security.tokens import FixedKeys, TokenVerifier, load_jwks
from tests.services.auth.people import SignedIn

pytestmark = pytest.mark.stack


async def test_the_published_keys_verify_our_tokens(client: httpx.AsyncClient, boss: SignedIn):
    response = await client.get("/.well-known/jwks.json")

    keys = FixedKeys(load_jwks(response.json()))
    claims = await TokenVerifier(keys, UserClaims).verify(boss.access_token)
    assert str(claims.sub) == boss.user["id"]


async def test_no_private_member_is_published(client: httpx.AsyncClient):
    response = await client.get("/.well-known/jwks.json")

    assert [set(key) for key in response.json()["keys"]] == [{"kty", "kid", "alg", "use", "n", "e"}]
