"""Refreshing a session: each refresh token is good for one successor."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.sessions import queries
from services.auth.sessions.errors import RefreshInvalid, RefreshWasReused, SignInIncomplete
from services.auth.sessions.models import UserSession
from services.auth.sessions.rules import RefreshToken, judge_unrotated
from services.auth.sessions.schemas import TokensRead
from services.auth.sessions.service.device import seal_device
from services.auth.sessions.service.start import todo_of
from services.auth.sessions.service.tokens import expiry_of, make_tokens
from services.auth.tenants import service as tenants
from services.auth.transactions import Transactions
from services.auth.users import service as users
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.sessions import RefreshReused, SessionRefreshed, SessionRevoked
from shared.principal import Device


async def refresh(
    transactions: Transactions, presented: str, *, vault: Vault, now: datetime
) -> TokensRead:
    """Give the next pair of tokens for a refresh token, once.

    Raises RefreshInvalid, SignInIncomplete, and RefreshWasReused after revoking the session.
    """
    token = RefreshToken.read(presented, vault.refresh_key)
    if token is None:
        raise RefreshInvalid
    async with transactions.open(token.tenant_id, f"user:{token.user_id}") as session:
        tenant = await tenants.find_tenant(session, token.tenant_id)
        user = await users.find_user(session, token.user_id)
        if tenant is None or user is None:
            raise RefreshInvalid
        device = transactions.device
        found = await _rotate_or_repeat(
            session, token, role=user.role, device=device, vault=vault, now=now
        )
        if found is not None and (
            users.has_ended_session(user, found.started_at)
            or found.expires_at <= now  # He became an administrator, whose sessions are shorter.
        ):
            raise RefreshInvalid
        todo = () if found is None else todo_of(user, tenant, found.methods)
        if todo:
            raise SignInIncomplete(todo=list(todo))
    if found is None:
        raise RefreshWasReused
    return make_tokens(user, tenant, found, vault=vault, now=now)


async def _rotate_or_repeat(
    session: AsyncSession,
    token: RefreshToken,
    *,
    role: str,
    device: Device,
    vault: Vault,
    now: datetime,
) -> UserSession | None:
    """Return the session at its present token, or None after revoking it for reuse."""
    rotated = await queries.rotate(session, token.session_id, token.counter, now)
    if rotated is not None:
        rotated.expires_at = expiry_of(rotated.started_at, now, role=role, vault=vault)
        rotated.device_sealed = seal_device(device, token.tenant_id, rotated.id, vault=vault)
        journal.record(session, SessionRefreshed.of(rotated))
        return rotated
    found = await queries.find_session(session, token.session_id)
    if found is None:
        raise RefreshInvalid
    outcome = judge_unrotated(
        token.counter,
        counter=found.counter,
        refreshed_at=found.refreshed_at,
        is_over=found.revoked_at is not None or found.expires_at <= now,
        now=now,
    )
    if outcome == "ended":
        raise RefreshInvalid
    if outcome == "repeat":
        return found
    await _revoke_for_reuse(session, found, token, now)
    return None


async def _revoke_for_reuse(
    session: AsyncSession, found: UserSession, token: RefreshToken, now: datetime
) -> None:
    if await queries.revoke(session, found.id, now) is None:
        return
    ids = {"session_id": found.id, "user_id": found.user_id}
    journal.record(session, RefreshReused(**ids, presented=token.counter, counter=found.counter))
    journal.record(session, SessionRevoked(**ids, reason="reuse"))
