from fastapi import Response

from services.auth.keys.schemas import KeySetRead
from services.auth.requests import Secrets
from shared.web import feature_router

router = feature_router("/.well-known", "keys")


@router.get("/jwks.json")
async def list_signing_keys(response: Response, vault: Secrets) -> KeySetRead:
    """Get the public signing keys.

    With them anybody verifies an access token (JWK Set, RFC 7517).
    """
    response.headers["Cache-Control"] = "public, max-age=60"
    return KeySetRead.model_validate(vault.keys.jwks)
