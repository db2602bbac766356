"""What becomes of a user's sessions when the password was changed."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.sessions import queries
from services.auth.sessions.errors import SessionOver
from services.auth.sessions.schemas import EnrolmentRead, SignedInRead
from services.auth.sessions.service.own import revoke_other_sessions
from services.auth.sessions.service.proof import Account
from services.auth.sessions.service.start import finish_sign_in
from services.auth.sessions.service.tokens import make_tokens
from services.auth.throttle import service as throttle
from services.auth.users import service as users
from services.auth.users.models import User
from services.auth.vault import Vault
from shared.principal import Device, Principal


async def go_on_after_password_change(
    session: AsyncSession,
    user: User,
    account: Account,
    *,
    device: Device,
    vault: Vault,
    caller: Principal,
    now: datetime,
) -> SignedInRead | EnrolmentRead:
    """End all other sessions; return new tokens for the caller's, or of the one that begins.

    Raises SessionOver.
    """
    await throttle.forgive(session, account.index, user.id, device=device, vault=vault, now=now)
    await revoke_other_sessions(
        session, user.id, caller.session_id, reason="password_changed", now=now
    )
    if caller.todo:
        return finish_sign_in(
            session, user, account.tenant, caller.methods, device=device, vault=vault, now=now
        )
    own = await queries.find_session(session, caller.session_id)
    if own is None or own.revoked_at is not None:
        raise SessionOver
    tokens = make_tokens(user, account.tenant, own, vault=vault, now=now)
    return SignedInRead(**tokens.model_dump(), user=users.to_read(user, vault=vault))
