"""Telling a user by mail what was done to his account."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.notices import service as notices
from services.auth.notices.rules import Notice
from services.auth.users.models import User
from services.auth.users.service.sealed import open_fields
from services.auth.vault import Vault


async def tell(
    session: AsyncSession,
    user: User,
    notice: Notice,
    *,
    vault: Vault,
    now: datetime,
    **facts: str,
) -> None:
    """Put a mail to the user into the outbox; it goes out if and only if the transaction stands.

    `facts` are what the text of the notice is filled in with.
    """
    to = notices.Addressee(user.tenant_id, open_fields(user, vault=vault).email, user.language)
    await notices.tell(session, to, notice, vault=vault, now=now, **facts)
