"""Another address for a user, and the index that he is found by."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.users import queries
from services.auth.users.errors import EmailTaken
from services.auth.users.models import User
from services.auth.users.rules import lookup_form
from services.auth.users.service.read import get_user
from services.auth.users.service.sealed import open_fields, seal_email, seal_profile
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.users import UserAddressChanged
from shared.db.conflicts import conflicts


async def change_email(session: AsyncSession, user: User, email: str, *, vault: Vault) -> None:
    """Let the user, whose row is held, sign in with another address; his sessions go on.

    Raises EmailTaken.
    """
    before = open_fields(user, vault=vault).email
    form = lookup_form(email)
    candidates = vault.emails.candidates(form, user.tenant_id)
    holder = await queries.find_by_index(session, candidates)
    if holder is not None and holder.id != user.id:
        raise EmailTaken
    user.email_index = vault.emails.of(form, user.tenant_id)
    user.email_sealed = seal_email(email, user.tenant_id, user.id, vault=vault)
    user.version += 1
    journal.record(
        session,
        UserAddressChanged(
            user_id=user.id,
            before=seal_profile({"email": before}, user, vault=vault),
            after=seal_profile({"email": email}, user, vault=vault),
        ),
    )
    with conflicts({"users_tenant_id_email_index_key": EmailTaken()}):
        await session.flush()  # Of two who take it at once, the database knows the first.


async def list_outdated(
    session: AsyncSession, after: UUID | None, *, limit: int, vault: Vault
) -> tuple[Sequence[UUID], UUID | None]:
    """Look at the tenant's next users after one of them, by id, at most `limit`.

    Return those whose index is not that of their address, and the last that was looked at: None
    when there are no more.
    """
    found = await queries.list_after(session, after, limit=limit)
    outdated = [user.id for user in found if _index_of(user, vault) != user.email_index]
    return outdated, found[-1].id if len(found) == limit else None


async def reindex(session: AsyncSession, user_id: UUID, *, vault: Vault) -> None:
    """Index the user by his address as it is compared today. Raises UserNotFound, EmailTaken."""
    user = await get_user(session, user_id, lock=True)
    user.email_index = _index_of(user, vault)
    with conflicts({"users_tenant_id_email_index_key": EmailTaken()}):
        await session.flush()  # To know here whether another account has it.


def _index_of(user: User, vault: Vault) -> bytes:
    """Return the index of the user's address; that which he has where it cannot be read."""
    email = open_fields(user, vault=vault).email
    return (
        user.email_index if email is None else vault.emails.of(lookup_form(email), user.tenant_id)
    )
