"""Another address for a user."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.users import queries
from services.auth.users.errors import EmailTaken
from services.auth.users.models import User
from services.auth.users.rules import lookup_form
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
