"""Setting a second factor up, with a session or before there is one, and giving it up."""

import io
from datetime import datetime

import segno
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.factors import service as factors
from services.auth.factors.errors import TwoFactorCompulsory, TwoFactorNotSetUp
from services.auth.factors.rules import must_have_factor, otpauth_uri
from services.auth.sessions import service as sessions
from services.auth.sessions.schemas import ProofInput, SignedInRead
from services.auth.tenants import service as tenants
from services.auth.transactions import Transactions
from services.auth.two_factor.schemas import (
    SetupRead,
    TwoFactorRead,
    VerifiedEnrollingRead,
    VerifiedRead,
    VerifiedSignedInRead,
)
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.vault import Vault
from shared.principal import Device, Principal

_PRODUCT = "Stockwright"


async def get_state(session: AsyncSession, *, caller: Principal) -> TwoFactorRead:
    """Return what the caller has, and whether it must be. Raises UserNotFound, TenantNotFound."""
    user = await users.get_user(session, caller.id)
    state = await factors.state_of(session, user.id)
    return TwoFactorRead(
        enabled=state.enabled,
        required=await _must_have_factor(session, user),
        recovery_codes_left=state.recovery_codes_left,
    )


async def begin_setup(session: AsyncSession, *, vault: Vault, caller: Principal) -> SetupRead:
    """Return a new secret for the caller's authenticator; one in use counts until it is verified.

    Raises UserNotFound, TenantNotFound, Unauthorized.
    """
    user = await users.get_caller(session, caller)
    tenant = await tenants.get_tenant(session, user.tenant_id)
    secret = await factors.begin_setup(session, user.id, user.tenant_id, vault=vault)
    account = users.to_read(user, vault=vault).email or str(user.id)
    uri = otpauth_uri(secret, account=account, issuer=f"{_PRODUCT} {tenant.name}")
    return SetupRead(secret=secret, otpauth_uri=uri, qr_svg=_picture(uri))


async def verify(
    session: AsyncSession,
    code: str,
    *,
    device: Device,
    vault: Vault,
    caller: Principal,
    now: datetime,
) -> VerifiedRead:
    """Take the new authenticator into use by its first code.

    Finishes the sign-in of a caller with an enrolment token, which is good for nothing then.
    Raises UserNotFound, TenantNotFound, Unauthorized, TwoFactorNotSetUp, TwoFactorCodeWrong.
    """
    user = await users.get_caller(session, caller)
    codes = await factors.confirm(session, user.id, user.tenant_id, code, vault=vault, now=now)
    await users.tell(session, user, "factor_added", vault=vault, now=now)
    done = await sessions.go_on_with_factor(
        session, user, "otp", device=device, vault=vault, caller=caller, now=now
    )
    if done is None:
        return VerifiedRead(enabled=True, recovery_codes=codes)
    kind = VerifiedSignedInRead if isinstance(done, SignedInRead) else VerifiedEnrollingRead
    return kind(enabled=True, recovery_codes=codes, **done.model_dump())


async def replace_recovery_codes(
    session: AsyncSession, *, vault: Vault, caller: Principal, now: datetime
) -> list[str]:
    """Return new recovery codes instead of the caller's earlier ones.

    Raises UserNotFound, Unauthorized, TwoFactorNotSetUp.
    """
    user = await users.get_caller(session, caller)
    if not await factors.has_factor(session, caller.id):
        raise TwoFactorNotSetUp
    await users.tell(session, user, "recovery_codes_replaced", vault=vault, now=now)
    return await factors.replace_recovery_codes(session, caller.id, vault=vault)


async def disable(
    transactions: Transactions,
    given: ProofInput,
    *,
    vault: Vault,
    caller: Principal,
    now: datetime,
) -> None:
    """Go without a second factor from now on, where that is allowed.

    Raises UserNotFound, TenantNotFound, TwoFactorCompulsory, TwoFactorNotSetUp, and what proving
    oneself does.
    """
    async with transactions.open_as(caller) as session:
        await _require_dispensable(session, await users.get_user(session, caller.id))
    account = await sessions.find_own_account(transactions, caller, vault=vault, now=now)
    async with sessions.prove(
        transactions, account, given, bound_to=caller.session_id, vault=vault, now=now
    ) as proof:
        user = await users.get_caller(proof.session, caller)
        await _require_dispensable(proof.session, user)
        await factors.disable(proof.session, caller.id)
        await users.tell(proof.session, user, "factor_removed", vault=vault, now=now)


async def _require_dispensable(session: AsyncSession, user: User) -> None:
    """Raise TwoFactorCompulsory or TwoFactorNotSetUp unless the user can go without his factor."""
    if await _must_have_factor(session, user):
        raise TwoFactorCompulsory
    if not await factors.has_factor(session, user.id):
        raise TwoFactorNotSetUp


async def _must_have_factor(session: AsyncSession, user: User) -> bool:
    tenant = await tenants.get_tenant(session, user.tenant_id)
    return must_have_factor(user.role, tenant_demands=tenant.two_factor_required)


def _picture(uri: str) -> str:
    """Return a QR code as SVG, to be set into a page."""
    drawn = io.BytesIO()
    segno.make(uri, error="m").save(drawn, kind="svg", scale=4, border=4, xmldecl=False, nl=False)
    return drawn.getvalue().decode()
