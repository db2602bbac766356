from fastapi import Response

from services.auth.requests import Secrets
from services.auth.service_tokens import service
from services.auth.service_tokens.rules import LIFETIME_S
from services.auth.service_tokens.schemas import ServiceTokenCreate
from shared.contracts.auth.service_tokens import ServiceTokenRead
from shared.web import Now
from shared.web.internal import service_router

router = service_router("token")


@router.post("")
async def issue_service_token(
    body: ServiceTokenCreate, response: Response, vault: Secrets, now: Now
) -> ServiceTokenRead:
    """Exchange a service's name and secret for a short-lived token to call one other."""
    secret = body.client_secret.get_secret_value()
    token = service.issue_service_token(body.client_id, secret, body.audience, vault=vault, now=now)
    response.headers["Cache-Control"] = "no-store"
    return ServiceTokenRead(access_token=token, expires_in=LIFETIME_S)
