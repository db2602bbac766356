from datetime import datetime

from services.auth.service_tokens.errors import InvalidClient, NothingToCall
from services.auth.service_tokens.rules import LIFETIME_S, SCOPES, is_secret_of
from services.auth.vault import Vault
from shared.ids import new_id
from shared.security.claims import ServiceClaims


def issue_service_token(
    client_id: str, client_secret: str, target: str, *, vault: Vault, now: datetime
) -> str:
    """Return a token, good for LIFETIME_S seconds, with which a service calls one other.

    Raises InvalidClient, NothingToCall.
    """
    known = vault.settings.client_secrets().get(client_id)
    if not is_secret_of(known, client_secret):
        raise InvalidClient
    scopes = SCOPES.get(client_id, {}).get(target)
    if scopes is None:
        raise NothingToCall(target=target)
    issued_at = int(now.timestamp())
    return vault.keys.sign(
        ServiceClaims(
            sub=client_id,
            target=target,
            jti=new_id(),
            iat=issued_at,
            exp=issued_at + LIFETIME_S,
            scopes=scopes,
        )
    )
