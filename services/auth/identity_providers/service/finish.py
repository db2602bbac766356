"""Finishing a sign-in that the tenant's provider vouches for."""

import hmac
import json
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.factors import service as factors
from services.auth.factors.rules import is_strong
from services.auth.identity_providers import queries
from services.auth.identity_providers.errors import (
    AddressNotVouched,
    IdentityNotProved,
    IdentityProviderAway,
    IdentityTaken,
    NoAccountHere,
    ProvidedSignInInvalid,
)
from services.auth.identity_providers.models import IdentityProvider, ProvidedSignIn
from services.auth.identity_providers.rules import FEDERATED, PREFIX, VOUCHED, proved_at
from services.auth.identity_providers.schemas import ProvidedSignInFinish
from services.auth.identity_providers.service.settle import configuration_of, secret_of
from services.auth.identity_providers.service.start import BEGUN, binding_index
from services.auth.identity_providers.service.whose import find_account, require_active
from services.auth.openid import (
    LEEWAY_S,
    CodeRefused,
    IdTokenRefused,
    ProviderUnreachable,
    ProviderUnusable,
)
from services.auth.secret_text import SecretText
from services.auth.sessions import metrics
from services.auth.sessions import service as sessions
from services.auth.sessions.errors import AccountLocked, ApprovalPending
from services.auth.sessions.schemas import EnrolmentRead, SignedInRead
from services.auth.tenants import service as tenants
from services.auth.tenants.models import Tenant
from services.auth.transactions import Transactions
from services.auth.users import service as users
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.identity_providers import ProvidedSignInFailed
from shared.errors import Problem
from shared.security.sealing import SealBroken, place

_NOT_LET_IN = (
    IdentityNotProved,
    AddressNotVouched,
    NoAccountHere,
    IdentityTaken,
    AccountLocked,
    ApprovalPending,
)


class _Begun(NamedTuple):
    """A sign-in as the browser left it: with the provider, or proved there already."""

    row: ProvidedSignIn
    tenant: Tenant
    provider: IdentityProvider


async def finish_sign_in(
    transactions: Transactions, given: ProvidedSignInFinish, *, vault: Vault, now: datetime
) -> SignedInRead | EnrolmentRead:
    """Start a session for whom the provider vouches, after our second factor where there is one.

    The provider's code is spent at the first call, whatever comes of it. Where a second factor is
    needed, the same is sent again with it. Raises what the routes say.
    """
    state = SecretText.read(PREFIX, given.state)
    if state is None:
        raise ProvidedSignInInvalid
    begun = await _take(transactions, state, given, vault=vault, now=now)
    proved = now
    if begun.row.user_id is None:
        try:
            user_id, methods, proved = await _ask_provider(
                transactions, begun, given, vault=vault, now=now
            )
        except _NOT_LET_IN as refusal:
            await _note(transactions, begun, refusal)
            raise
    else:
        user_id, methods = begun.row.user_id, tuple(begun.row.methods)
    async with transactions.open(begun.tenant.id, f"user:{user_id}") as session:
        user = await users.get_user(session, user_id, lock=True)
        require_active(user)
        await _require_same(session, begun.provider)
        method = None
        if not is_strong(methods):
            method = await sessions.check_factor(
                session, user, given, bound_to=None, vault=vault, now=now
            )
        if not isinstance(method, Problem):
            is_first = await queries.remove_sign_in(session, state.row_id)
            if begun.row.user_id is not None and not is_first:
                raise ProvidedSignInInvalid
            return sessions.finish_sign_in(
                session,
                user,
                begun.tenant,
                methods if method is None else (*methods, method),
                device=transactions.device,
                vault=vault,
                now=now,
                proved_at=proved if method is None else now,
            )
    raise method


async def _require_same(session: AsyncSession, provider: IdentityProvider) -> None:
    """Raise ProvidedSignInInvalid if the tenant's provider was changed or removed meanwhile."""
    present = await queries.find_provider(session)
    if present is None or present.version != provider.version:
        raise ProvidedSignInInvalid


async def _note(transactions: Transactions, begun: _Begun, refusal: Problem) -> None:
    """Journal that somebody was not let in; it stays though the request is refused."""
    metrics.attempts.labels("failure").inc()
    metrics.failed_attempts.labels("provider").inc()
    entry = ProvidedSignInFailed(
        tenant_id=begun.tenant.id, issuer=begun.provider.issuer, reason=refusal.code
    )
    async with transactions.open(begun.tenant.id) as session:
        journal.record(session, entry)


async def _take(
    transactions: Transactions,
    state: SecretText,
    given: ProvidedSignInFinish,
    *,
    vault: Vault,
    now: datetime,
) -> _Begun:
    """Return the sign-in, which is spent unless the provider has vouched already."""
    async with transactions.open(state.tenant_id) as session:
        row = await queries.lock_sign_in(session, state.row_id)
        provider = await queries.find_provider(session)
        tenant = await tenants.find_tenant(session, state.tenant_id)
        if row is None or provider is None or tenant is None or row.expires_at <= now:
            raise ProvidedSignInInvalid
        binding = binding_index(row.id, given.binding, vault=vault)
        is_ours = hmac.compare_digest(row.state_index, state.index(vault.sign_in_pepper))
        if not is_ours or not hmac.compare_digest(row.binding_index, binding):
            raise ProvidedSignInInvalid
        if row.user_id is None:
            await queries.remove_sign_in(session, row.id)
    return _Begun(row, tenant, provider)


async def _ask_provider(
    transactions: Transactions,
    begun: _Begun,
    given: ProvidedSignInFinish,
    *,
    vault: Vault,
    now: datetime,
) -> tuple[UUID, tuple[str, ...], datetime]:
    """Return whom the provider vouches for, how he is proved by that, and since when."""
    claims = await _claims(begun, given, vault=vault, now=now)
    tenant, provider = begun.tenant, begun.provider
    amr = claims.get("amr")
    is_vouched = provider.vouches_for_factor and isinstance(amr, list) and VOUCHED in amr
    methods = (FEDERATED, VOUCHED) if is_vouched else (FEDERATED,)
    async with transactions.open(tenant.id) as session:
        await _require_same(session, provider)
        user = await find_account(session, tenant, provider.issuer, claims, vault=vault, now=now)
        if not is_vouched and await factors.kinds_of(session, user.id):
            row = begun.row
            session.add(
                ProvidedSignIn(
                    id=row.id,
                    state_index=row.state_index,
                    binding_index=row.binding_index,
                    begun_sealed=row.begun_sealed,
                    user_id=user.id,
                    methods=list(methods),
                    expires_at=row.expires_at,
                )
            )
    return user.id, methods, proved_at(claims.get("auth_time"), now)


async def _claims(
    begun: _Begun, given: ProvidedSignInFinish, *, vault: Vault, now: datetime
) -> dict[str, Any]:
    row, provider = begun.row, begun.provider
    try:
        opened = vault.sealer.open(row.begun_sealed, place(BEGUN, row.tenant_id, row.id))
    except SealBroken:
        raise ProvidedSignInInvalid from None
    kept: dict[str, Any] = json.loads(opened)
    if kept["issuer"] != provider.issuer or given.provider_code is None:
        raise ProvidedSignInInvalid
    configuration = await configuration_of(provider.issuer, vault=vault)
    if given.iss != provider.issuer and (given.iss is not None or configuration.sends_issuer):
        raise IdentityNotProved
    grant = {
        "code": given.provider_code,
        "redirect_uri": provider.redirect_uri,
        "code_verifier": kept["verifier"],
    }
    client = (provider.client_id, secret_of(provider, vault=vault))
    try:
        token = await vault.providers.exchange(configuration, client, grant)
        claims = await vault.providers.claims_of(
            configuration, token, client_id=provider.client_id, nonce=kept["nonce"]
        )
    except (CodeRefused, IdTokenRefused):
        raise IdentityNotProved from None
    except (ProviderUnreachable, ProviderUnusable):
        raise IdentityProviderAway from None
    proved = proved_at(claims.get("auth_time"), now)
    if proved.timestamp() < kept.get("fresh_from", 0) - LEEWAY_S:  # It did not ask anew.
        raise IdentityNotProved
    return claims
