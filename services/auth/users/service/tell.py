"""Telling a user by mail what was done to his account."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.notices import service as notices
from services.auth.notices.rules import Notice
from services.auth.users import queries
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

    Nobody is told at an address that is nobody's yet, nor of an account that is closed.
    `facts` are what the text of the notice is filled in with.
    """
    if user.verified_at is None or user.deactivated_at is not None:
        return
    to = notices.Addressee(user.tenant_id, open_fields(user, vault=vault).email, user.language)
    await notices.tell(session, to, notice, vault=vault, now=now, **facts)


async def tell_administrators(
    session: AsyncSession, notice: Notice, *, vault: Vault, now: datetime, **facts: str
) -> None:
    """Put a mail to each administrator of the session's tenant into the outbox."""
    for one in await queries.list_administrators(session):
        await tell(session, one, notice, vault=vault, now=now, **facts)


async def tell_of_administrator(
    session: AsyncSession, user: User, *, vault: Vault, now: datetime
) -> None:
    """Tell all other administrators of the tenant that the user is one, or is to be."""
    who = open_fields(user, vault=vault).email or str(user.id)
    facts = {"who": who, "user_id": str(user.id)}
    for one in await queries.list_administrators(session):
        if one.id != user.id:
            await tell(session, one, "administrator_added", vault=vault, now=now, **facts)
