"""Signing in, step by step."""

from datetime import datetime

from services.auth.sessions.errors import InvalidCredentials
from services.auth.sessions.schemas import EnrolmentRead, SignedInRead, SignInCreate
from services.auth.sessions.service.proof import (
    Account,
    find_account,
    prove,
)
from services.auth.sessions.service.start import finish_sign_in
from services.auth.tenants import service as tenants
from services.auth.tenants.models import Tenant
from services.auth.throttle import service as throttle
from services.auth.transactions import Transactions
from services.auth.users import service as users
from services.auth.users.rules import lookup_form
from services.auth.vault import Vault
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.errors import Problem


async def sign_in(
    transactions: Transactions, wanted: SignInCreate, *, vault: Vault, now: datetime
) -> SignedInRead | EnrolmentRead:
    """Start a session for whoever knows the password and has the second factor.

    Who must set a second factor up, or choose a password, gets a token for that instead.
    Raises InvalidCredentials, AccountLocked, TooManySignIns, TwoFactorRequired, TwoFactorCodeWrong,
    SignInBusy.
    """
    async with vault.passwords.place():
        tenant, email = await _find_tenant(transactions, wanted)
        account = await _find_account(transactions, tenant, email, vault=vault, now=now)
        async with prove(
            transactions, account, wanted, bound_to=None, vault=vault, now=now
        ) as proof:
            device = transactions.device
            await throttle.forgive(
                proof.session, account.index, proof.user.id, device=device, vault=vault, now=now
            )
            return finish_sign_in(
                proof.session,
                proof.user,
                account.tenant,
                proof.methods,
                device=device,
                vault=vault,
                now=now,
            )


async def _find_tenant(transactions: Transactions, wanted: SignInCreate) -> tuple[Tenant, str]:
    """Return the tenant, and the address that is looked for in it.

    For a tenant that is not there: the default one, and an address that nobody can have. All that
    follows is as for any unknown account, so that nothing tells which tenants there are.
    """
    async with transactions.open(None) as session:
        named = await tenants.find_by_slug(session, wanted.tenant)
        if named is not None:
            return named, wanted.email
        default = await tenants.find_tenant(session, DEFAULT_TENANT_ID)
    if default is None:  # Nothing is prepared yet, so nobody can sign in anyway.
        raise InvalidCredentials
    return default, f"{wanted.email} of {wanted.tenant}"


async def _find_account(
    transactions: Transactions, tenant: Tenant, email: str, *, vault: Vault, now: datetime
) -> Account:
    """Count the attempt and return the account. Raises TooManySignIns."""
    index = vault.emails.of(lookup_form(email), tenant.id)
    async with transactions.open(tenant.id) as session:
        user = await users.find_by_email(session, email, tenant_id=tenant.id, vault=vault)
        found = await find_account(
            session, tenant, index, user, device=transactions.device, vault=vault, now=now
        )
    if isinstance(found, Problem):
        raise found
    return found
