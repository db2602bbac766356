"""Passkeys of one's own: added with a session or before there is one, named, and removed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.factors import service as factors
from services.auth.factors.errors import PasskeyRefused, TwoFactorCompulsory
from services.auth.factors.models import Passkey
from services.auth.factors.rules import must_have_factor
from services.auth.passkeys.schemas import (
    PasskeyAddedEnrollingRead,
    PasskeyAddedRead,
    PasskeyAddedSignedInRead,
    PasskeyCreate,
    PasskeyOptionsRead,
    PasskeyRead,
    PasskeysRead,
    PasskeyUpdate,
)
from services.auth.sessions import service as sessions
from services.auth.sessions.schemas import SignedInRead
from services.auth.tenants import service as tenants
from services.auth.transactions import Transactions
from services.auth.users import service as users
from services.auth.vault import Vault
from shared.principal import Principal

_PRODUCT = "Stockwright"


async def begin_setup(
    session: AsyncSession, *, vault: Vault, caller: Principal, now: datetime
) -> PasskeyOptionsRead:
    """Return the options for a new passkey of the caller's.

    Raises UserNotFound, TenantNotFound, Unauthorized, PasskeysUnavailable, PasskeyLimit.
    """
    user = await users.get_caller(session, caller)
    tenant = await tenants.get_tenant(session, user.tenant_id)
    options = await factors.begin_passkey(
        session,
        user.id,
        account=users.to_read(user, vault=vault).email or str(user.id),
        service_name=f"{_PRODUCT} {tenant.name}",
        bound_to=caller.session_id,
        vault=vault,
        now=now,
    )
    return PasskeyOptionsRead(options=options)


async def add_passkey(
    transactions: Transactions,
    wanted: PasskeyCreate,
    *,
    vault: Vault,
    caller: Principal,
    now: datetime,
) -> PasskeyAddedRead:
    """Take a passkey into use, with recovery codes if it is the first second factor.

    Finishes the sign-in of a caller with an enrolment token, which is good for nothing then.
    Raises UserNotFound, TenantNotFound, Unauthorized, PasskeysUnavailable, PasskeyRefused,
    PasskeyLimit, PasskeyKnown.
    """
    async with transactions.open_as(caller) as session:
        answer = await factors.spend_challenge(
            session,
            caller.id,
            "registration",
            wanted.credential,
            bound_to=caller.session_id,
            now=now,
        )
    if answer is None:
        raise PasskeyRefused
    async with transactions.open_as(caller) as session:
        user = await users.get_caller(session, caller)
        passkey = await factors.add_passkey(
            session, user.id, user.tenant_id, answer, name=wanted.name, vault=vault, now=now
        )
        await users.tell(session, user, "factor_added", vault=vault, now=now)
        left = (await factors.state_of(session, user.id)).recovery_codes_left
        codes = (
            None if left else await factors.replace_recovery_codes(session, user.id, vault=vault)
        )
        done = await sessions.go_on_with_factor(
            session,
            user,
            "hwk",
            device=transactions.device,
            vault=vault,
            caller=caller,
            now=now,
        )
        shown = to_read(passkey, vault=vault)
        if done is None:
            return PasskeyAddedRead(passkey=shown, recovery_codes=codes)
        is_over = isinstance(done, SignedInRead)
        kind = PasskeyAddedSignedInRead if is_over else PasskeyAddedEnrollingRead
        return kind(passkey=shown, recovery_codes=codes, **done.model_dump())


async def list_passkeys(session: AsyncSession, *, vault: Vault, caller: Principal) -> PasskeysRead:
    """Return the caller's passkeys, the oldest first."""
    found = await factors.list_passkeys(session, caller.id)
    return PasskeysRead(items=[to_read(one, vault=vault) for one in found])


async def rename_passkey(
    session: AsyncSession,
    passkey_id: UUID,
    wanted: PasskeyUpdate,
    *,
    vault: Vault,
    caller: Principal,
) -> PasskeyRead:
    """Give a passkey of the caller's another name. Raises PasskeyNotFound."""
    passkey = await factors.get_passkey(session, caller.id, passkey_id)
    if wanted.name is not None:
        factors.rename_passkey(passkey, wanted.name, vault=vault)
    return to_read(passkey, vault=vault)


async def remove_passkey(
    session: AsyncSession, passkey_id: UUID, *, vault: Vault, caller: Principal, now: datetime
) -> None:
    """Let a passkey of the caller's be good no more; with the last factor recovery codes go too.

    Raises UserNotFound, TenantNotFound, Unauthorized, PasskeyNotFound, TwoFactorCompulsory.
    """
    user = await users.get_caller(session, caller)
    tenant = await tenants.get_tenant(session, user.tenant_id)
    passkey = await factors.get_passkey(session, caller.id, passkey_id)
    await factors.remove_passkey(session, passkey)
    if not await factors.has_factor(session, user.id):
        if must_have_factor(user.role, tenant_demands=tenant.two_factor_required):
            raise TwoFactorCompulsory
        await factors.disable(session, user.id)
    await users.tell(session, user, "factor_removed", vault=vault, now=now)


def to_read(passkey: Passkey, *, vault: Vault) -> PasskeyRead:
    return PasskeyRead(
        id=passkey.id,
        name=factors.name_of(passkey, vault=vault),
        created_at=passkey.created_at,
        last_used_at=passkey.last_used_at,
    )
