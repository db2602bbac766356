"""What an administrator does about accounts that are not active yet."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts.errors import NotInvited, NotPending
from services.auth.accounts.schemas import InvitationCreate, InvitationRead
from services.auth.accounts.service.texts import write
from services.auth.mail import service as mail
from services.auth.one_time import service as one_time
from services.auth.one_time.rules import LIFETIMES
from services.auth.tenants import service as tenants
from services.auth.users import service as users
from services.auth.users.errors import EmailTaken
from services.auth.users.models import User
from services.auth.vault import Vault
from shared.principal import Principal


async def invite(
    session: AsyncSession,
    wanted: InvitationCreate,
    *,
    vault: Vault,
    caller: Principal,
    now: datetime,
) -> InvitationRead:
    """Open an account that waits for who gets the mail; invited again, he gets another mail.

    One that somebody registered with the address, and nobody verified, is taken over.
    Raises EmailTaken, AdministratorUnlimited.
    """
    tenant_id = caller.tenant_id
    tenant = await tenants.get_tenant(session, tenant_id)
    user = await users.find_by_email(session, wanted.email, tenant_id=tenant_id, vault=vault)
    if user is None or users.status_in(user) == "unverified":
        nobodys = await vault.passwords.hash_unknown()
        new = users.NewUser(
            wanted.email, nobodys, wanted.role, wanted.name, wanted.language, is_verified=False
        )
        user = await users.take_or_register(
            session, new, origin="invitation", tenant_id=tenant_id, vault=vault, now=now
        )
    elif not users.allows(user, "accept"):
        raise EmailTaken
    users.note_invited(session, user, wanted.role, wanted.locations)
    if user.role == "admin":
        await users.tell_of_administrator(session, user, vault=vault, now=now)
    token = await one_time.issue(session, user, "invite", vault=vault, now=now)
    shown = users.to_read(user, vault=vault)
    text = write(
        "invite",
        shown.email or wanted.email,
        tenant=tenant.name,
        language=user.language or tenant.language,
        settings=vault.settings,
        token=token,
        who=_shown(await users.get_user(session, caller.id), vault=vault),
    )
    mail.post(session, text, tenant_id, vault=vault, now=now)
    return InvitationRead(user=shown, expires_at=now + LIFETIMES["invite"])


def _shown(user: User, *, vault: Vault) -> str:
    """Return how a user is named to somebody who may know the name, or the address."""
    shown = users.to_read(user, vault=vault)
    return " ".join(filter(None, (shown.name, f"<{shown.email}>" if shown.email else None)))


async def withdraw_invitation(
    session: AsyncSession, user_id: UUID, *, vault: Vault, now: datetime
) -> None:
    """Let an invitation be good no more. Raises UserNotFound, NotInvited."""
    user = await users.get_user(session, user_id, lock=True)
    if not users.allows(user, "withdraw"):
        raise NotInvited
    await one_time.withdraw(session, user, "invite")
    await users.lock_user(session, user_id, vault=vault, now=now)


async def approve(session: AsyncSession, user_id: UUID, *, now: datetime) -> User:
    """Let somebody in who registered and whose address is verified.

    Raises UserNotFound, NotPending.
    """
    user = await users.get_user(session, user_id, lock=True)
    if not users.allows(user, "approve"):
        raise NotPending
    users.approve(session, user, now=now)
    return user
