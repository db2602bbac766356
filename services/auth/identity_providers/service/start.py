"""Beginning to sign in by the tenant's provider."""

import hashlib
import hmac
import json
import secrets
from datetime import datetime
from uuid import UUID

from services.auth.identity_providers import queries
from services.auth.identity_providers.errors import NoIdentityProvider
from services.auth.identity_providers.models import ProvidedSignIn
from services.auth.identity_providers.rules import LIFETIME, PREFIX, authorization_url
from services.auth.identity_providers.schemas import ProvidedSignInStart, ProvidedSignInStarted
from services.auth.identity_providers.service.settle import configuration_of
from services.auth.secret_text import SecretText
from services.auth.tenants import service as tenants
from services.auth.transactions import Transactions
from services.auth.vault import Vault
from shared.ids import new_id
from shared.security.sealing import place

BEGUN = "auth.provided_sign_ins.begun"


async def start_sign_in(
    transactions: Transactions, wanted: ProvidedSignInStart, *, vault: Vault, now: datetime
) -> ProvidedSignInStarted:
    """Return where the browser goes, and what it keeps meanwhile.

    Raises NoIdentityProvider, IdentityProviderNotUsable, IdentityProviderAway.
    """
    async with transactions.open(None) as session:
        tenant = await tenants.find_by_slug(session, wanted.tenant)
    if tenant is None:
        raise NoIdentityProvider
    async with transactions.open(tenant.id) as session:
        provider = await queries.find_provider(session)
    if provider is None:
        raise NoIdentityProvider
    configuration = await configuration_of(provider.issuer, vault=vault)
    state = SecretText.new(PREFIX, tenant.id, new_id())
    nonce, verifier, binding = (secrets.token_urlsafe(32) for _ in range(3))
    begun = {
        "nonce": nonce,
        "verifier": verifier,
        "issuer": provider.issuer,
        "fresh_from": int(now.timestamp()) if wanted.fresh else 0,
    }
    async with transactions.open(tenant.id) as session:
        session.add(
            ProvidedSignIn(
                id=state.row_id,
                state_index=state.index(vault.sign_in_pepper),
                binding_index=binding_index(state.row_id, binding, vault=vault),
                begun_sealed=vault.sealer.seal(
                    json.dumps(begun).encode(), place(BEGUN, tenant.id, state.row_id)
                ),
                user_id=None,
                methods=[],
                expires_at=now + LIFETIME,
            )
        )
    url = authorization_url(
        configuration.authorization_endpoint,
        client_id=provider.client_id,
        redirect_uri=provider.redirect_uri,
        state=str(state),
        nonce=nonce,
        verifier=verifier,
        fresh=wanted.fresh,
    )
    lifetime_s = int(LIFETIME.total_seconds())
    return ProvidedSignInStarted(authorization_url=url, binding=binding, expires_in=lifetime_s)


def binding_index(sign_in_id: UUID, binding: str, *, vault: Vault) -> bytes:
    """Return what is kept of what the browser keeps."""
    return hmac.digest(vault.sign_in_pepper, sign_in_id.bytes + binding.encode(), hashlib.sha256)
