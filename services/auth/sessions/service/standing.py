"""Whether the sign-in that a token came of still stands."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.api_keys import service as api_keys
from services.auth.sessions import queries
from services.auth.users import service as users
from shared.errors import Unauthorized
from shared.principal import MACHINE, Principal


async def require_standing(session: AsyncSession, caller: Principal) -> None:
    """Raise Unauthorized if the caller's session, or API key, was ended since his token was judged.

    The gateway judges a token before the body arrives, and learns of an end within a second; here
    it counts at once. It is over, too, if the account is barred or has other rights by now.
    """
    user = await users.find_user(session, caller.id)
    if user is None or not users.is_current(user, caller):
        raise Unauthorized
    if caller.todo:
        return  # There is no session yet.
    if MACHINE in caller.methods:
        if not await api_keys.is_good(session, caller.session_id):
            raise Unauthorized
        return
    own = await queries.find_session(session, caller.session_id)
    if own is None or own.revoked_at is not None or users.has_ended_session(user, own.started_at):
        raise Unauthorized
