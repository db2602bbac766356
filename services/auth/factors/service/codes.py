"""An authenticator's codes and recovery codes: set up, checked, made anew."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.factors import queries
from services.auth.factors.errors import TwoFactorCodeWrong, TwoFactorNotSetUp
from services.auth.factors.models import Authenticator
from services.auth.factors.rules import (
    Method,
    is_totp,
    matching_step,
    new_recovery_codes,
    new_secret,
    recovery_index,
    tidy,
)
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.factors import (
    RecoveryCodesReplaced,
    RecoveryCodeUsed,
    TwoFactorSetUp,
)
from shared.log import log
from shared.security.sealing import SealBroken, place

SECRET = "auth.authenticators.secret"  # noqa: S105 - the name of a column.


async def begin_setup(
    session: AsyncSession, user_id: UUID, tenant_id: UUID, *, vault: Vault
) -> str:
    """Return a new secret; it counts from its first code on, and one in use until then."""
    found = await queries.find_authenticator(session, user_id, lock=True)
    if found is None:
        found = Authenticator(user_id=user_id, last_step=0)
        session.add(found)
    secret = new_secret()
    found.pending_sealed = vault.sealer.seal(secret.encode(), place(SECRET, tenant_id, user_id))
    return secret


async def confirm(
    session: AsyncSession, user_id: UUID, tenant_id: UUID, code: str, *, vault: Vault, now: datetime
) -> list[str]:
    """Take the new secret into use by its first code; return recovery codes, shown this once.

    Raises TwoFactorNotSetUp, TwoFactorCodeWrong.
    """
    found = await queries.find_authenticator(session, user_id, lock=True)
    if found is None or found.pending_sealed is None:
        raise TwoFactorNotSetUp
    secret = _open(found.pending_sealed, user_id, tenant_id, vault)
    step = matching_step(secret, tidy(code), now, last_step=0)
    if step is None:
        raise TwoFactorCodeWrong
    found.secret_sealed, found.pending_sealed = found.pending_sealed, None
    found.last_step, found.confirmed_at = step, now
    journal.record(session, TwoFactorSetUp(user_id=user_id, method="otp"))
    await session.flush()
    return await replace_recovery_codes(session, user_id, vault=vault)


async def check(
    session: AsyncSession, user_id: UUID, tenant_id: UUID, code: str, *, vault: Vault, now: datetime
) -> Method | None:
    """Spend a code and return what it was, or None: wrong, outside its time, or spent before.

    The caller has counted the attempt.
    """
    tidied = tidy(code)
    if not is_totp(tidied):
        return await _check_recovery_code(session, user_id, tidied, vault=vault, now=now)
    found = await queries.find_authenticator(session, user_id)
    if found is None or found.secret_sealed is None:
        return None
    try:
        secret = _open(found.secret_sealed, user_id, tenant_id, vault)
    except SealBroken:
        log.error("an authenticator's secret cannot be opened", user_id=user_id)
        return None
    step = matching_step(secret, tidied, now, last_step=found.last_step)
    is_spent = step is not None and await queries.spend_step(session, user_id, step)
    return "otp" if is_spent else None


async def replace_recovery_codes(
    session: AsyncSession, user_id: UUID, *, vault: Vault
) -> list[str]:
    """Return new recovery codes; earlier ones are good for nothing from now on."""
    codes = new_recovery_codes()
    indices = [recovery_index(tidy(code), vault.recovery_key) for code in codes]
    await queries.replace_recovery_codes(session, user_id, indices)
    journal.record(session, RecoveryCodesReplaced(user_id=user_id))
    return codes


def _open(sealed: bytes, user_id: UUID, tenant_id: UUID, vault: Vault) -> str:
    return vault.sealer.open(sealed, place(SECRET, tenant_id, user_id)).decode()


async def _check_recovery_code(
    session: AsyncSession, user_id: UUID, code: str, *, vault: Vault, now: datetime
) -> Method | None:
    index = recovery_index(code, vault.recovery_key)
    if not await queries.spend_recovery_code(session, user_id, index, now):
        return None
    left = await queries.count_recovery_codes(session, user_id)
    journal.record(session, RecoveryCodeUsed(user_id=user_id, left=left))
    return "recovery"
