"""Which provider a tenant has."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.identity_providers import queries
from services.auth.identity_providers.errors import (
    IdentityProviderAway,
    IdentityProviderNotUsable,
    NoIdentityProvider,
    RedirectNotUsable,
)
from services.auth.identity_providers.models import IdentityProvider
from services.auth.identity_providers.rules import FEDERATED
from services.auth.identity_providers.schemas import IdentityProviderReplace
from services.auth.openid import ProviderConfiguration, ProviderUnreachable, ProviderUnusable
from services.auth.sessions import service as sessions
from services.auth.transactions import Transactions
from services.auth.users import service as users
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.identity_providers import IdentityProviderRemoved, IdentityProviderSet
from shared.principal import Principal
from shared.security.sealing import SealBroken, place

SECRET = "auth.identity_providers.client_secret"  # noqa: S105 - the name of a column.


async def get_provider(session: AsyncSession) -> IdentityProvider:
    """Return the tenant's provider. Raises NoIdentityProvider."""
    provider = await queries.find_provider(session)
    if provider is None:
        raise NoIdentityProvider
    return provider


async def replace_provider(
    transactions: Transactions,
    wanted: IdentityProviderReplace,
    *,
    vault: Vault,
    caller: Principal,
    now: datetime,
) -> IdentityProvider:
    """Let users sign in by this provider, once it said that it is there.

    With another issuer all links of accounts are gone: a subject is its issuer's; with another
    client too, the sessions that it began end. All administrators are told.
    Raises RedirectNotUsable, IdentityProviderNotUsable.
    """
    if not vault.providers.may_ask(wanted.redirect_uri):
        raise RedirectNotUsable
    try:
        await vault.providers.configuration(wanted.issuer)
    except (ProviderUnusable, ProviderUnreachable):
        raise IdentityProviderNotUsable from None
    async with transactions.open_as(caller) as session:
        provider = await queries.find_provider(session, lock=True)
        if provider is None:
            provider = IdentityProvider(tenant_id=caller.tenant_id, version=0)
            session.add(provider)
        elif (provider.issuer, provider.client_id) != (wanted.issuer, wanted.client_id):
            if provider.issuer != wanted.issuer:
                await queries.remove_links(session)
            await _end_sessions(session, now)
        provider.issuer, provider.client_id = wanted.issuer, wanted.client_id
        provider.client_secret_sealed = vault.sealer.seal(
            wanted.client_secret.get_secret_value().encode(),
            place(SECRET, caller.tenant_id, caller.tenant_id),
        )
        provider.redirect_uri = wanted.redirect_uri
        provider.vouches_for_factor = wanted.vouches_for_factor
        provider.version += 1
        provider.changed_at = now
        journal.record(session, IdentityProviderSet.of(provider))
        trusted = provider.vouches_for_factor
        await users.tell_administrators(
            session,
            "identity_provider_trusted" if trusted else "identity_provider_changed",
            vault=vault,
            now=now,
            issuer=provider.issuer,
        )
    return provider


async def remove_provider(session: AsyncSession, *, vault: Vault, now: datetime) -> None:
    """Let nobody sign in by the provider any more; the sessions that it began end.

    All administrators are told. Raises NoIdentityProvider.
    """
    provider = await get_provider(session)
    await queries.remove_links(session)
    await session.delete(provider)
    await _end_sessions(session, now)
    journal.record(session, IdentityProviderRemoved.of(provider))
    await users.tell_administrators(
        session, "identity_provider_removed", vault=vault, now=now, issuer=provider.issuer
    )


async def _end_sessions(session: AsyncSession, now: datetime) -> None:
    await sessions.revoke_sessions_begun_by(session, FEDERATED, reason="provider_changed", now=now)


async def configuration_of(issuer: str, *, vault: Vault) -> ProviderConfiguration:
    """Return what a provider says of itself.

    Raises IdentityProviderNotUsable, IdentityProviderAway.
    """
    try:
        return await vault.providers.configuration(issuer)
    except ProviderUnusable:
        raise IdentityProviderNotUsable from None
    except ProviderUnreachable:
        raise IdentityProviderAway from None


def secret_of(provider: IdentityProvider, *, vault: Vault) -> str:
    """Return our secret at the provider. Raises IdentityProviderAway where it cannot be opened."""
    try:
        at = place(SECRET, provider.tenant_id, provider.tenant_id)
        return vault.sealer.open(provider.client_secret_sealed, at).decode()
    except SealBroken:
        raise IdentityProviderAway from None
