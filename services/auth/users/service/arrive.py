"""How an account becomes active: verified, approved, invited; and a forgotten password."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.users.models import User
from services.auth.users.rules import Language, Role
from services.auth.users.service.change import raise_token_version
from services.auth.users.service.limit import limit
from services.auth.users.service.sealed import seal_name
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.users import (
    UserApproved,
    UserInvited,
    UserPasswordReset,
    UserSessionsEnded,
    UserVerified,
)


def verify(session: AsyncSession, user: User, *, is_approved: bool, now: datetime) -> None:
    """Note that the address is the user's; `is_approved`: nobody has to approve the account."""
    user.verified_at = now
    user.version += 1
    journal.record(session, UserVerified.of(user))
    if is_approved and user.approved_at is None:
        approve(session, user, now=now)


def approve(session: AsyncSession, user: User, *, now: datetime) -> None:
    """Let the user in."""
    user.approved_at = now
    user.version += 1
    journal.record(session, UserApproved.of(user))


def take_over(user: User, password_hash: str, *, now: datetime) -> None:
    """Give an account whose address nobody verified another password: a stranger may know it."""
    user.password_hash = password_hash
    raise_token_version(user, now)


def note_invited(
    session: AsyncSession, user: User, role: Role, locations: Sequence[UUID] | None
) -> None:
    """Give who is invited the role and the locations that he will have.

    Raises AdministratorUnlimited.
    """
    user.role = role
    limit(session, user, locations)
    user.version += 1
    journal.record(session, UserInvited.of(user))


def accept(
    session: AsyncSession,
    user: User,
    password_hash: str,
    *,
    name: str | None,
    language: Language | None,
    vault: Vault,
    now: datetime,
) -> None:
    """Make the account of somebody who was invited his own."""
    user.password_hash = password_hash
    if name is not None:
        user.name_sealed = seal_name(name, user.tenant_id, user.id, vault=vault)
    if language is not None:
        user.language, user.language_changed_at = language, now
    verify(session, user, is_approved=True, now=now)


def reset_password(session: AsyncSession, user: User, password_hash: str, *, now: datetime) -> None:
    """Set the password of somebody who forgot his; all his sessions end."""
    user.password_hash = password_hash
    user.password_change_required = False
    user.sessions_ended_at = now
    raise_token_version(user, now)
    journal.record(session, UserPasswordReset.of(user))
    journal.record(session, UserSessionsEnded(user_id=user.id, reason="password_reset"))
