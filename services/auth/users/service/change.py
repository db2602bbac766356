"""What may change about a user, and what that ends."""

import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.throttle import service as throttle
from services.auth.users import queries
from services.auth.users.errors import AccountClosed, AccountErased, LastAdministrator, UserNotFound
from services.auth.users.models import User
from services.auth.users.rules import ROLE_OF_THE_REGISTERED, Role, ends_administration
from services.auth.users.schemas import ProfileUpdate, UserUpdate
from services.auth.users.service.limit import limit
from services.auth.users.service.read import allows, get_user, status_in
from services.auth.users.service.sealed import open_fields, seal_name, seal_profile
from services.auth.users.service.tell import tell, tell_of_administrator
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.users import (
    DeactivationReason,
    EndReason,
    UserDeactivated,
    UserErased,
    UserLocked,
    UserPasswordChanged,
    UserProfileChanged,
    UserReactivated,
    UserRoleChanged,
    UserSessionsEnded,
    UserUnlocked,
)
from shared.etag import require_match

_INDEX_BYTES = 32


async def change_user(
    session: AsyncSession,
    user_id: UUID,
    wanted: UserUpdate,
    if_match: str | None,
    *,
    vault: Vault,
    now: datetime,
) -> User:
    """Change name, language, role and locations; new rights end the access tokens with the old.

    Raises UserNotFound, AccountErased, PreconditionFailed, LastAdministrator,
    AdministratorUnlimited.
    """
    user, others_administer = await _lock_for_change(session, user_id)
    require_kept(user)
    require_match(if_match, user.version)
    _set_profile(session, user, wanted, vault=vault, now=now)
    before, after = user.role, wanted.role or user.role
    if after != before:
        if not others_administer:
            _keep_administering(user, new_role=after, will_bar=False)
        user.role, user.role_given_at = after, now
        journal.record(session, UserRoleChanged(user_id=user.id, before=before, after=after))
    is_given = "locations" in wanted.model_fields_set
    is_limited_anew = limit(session, user, wanted.locations if is_given else user.locations)
    if after != before or is_limited_anew:
        raise_token_version(user, now)
    if after == "admin" != before:
        await tell_of_administrator(session, user, vault=vault, now=now)
    return user


async def change_profile(
    session: AsyncSession,
    user_id: UUID,
    wanted: ProfileUpdate,
    if_match: str | None,
    *,
    vault: Vault,
    now: datetime,
) -> User:
    """Change what users may change of their own accounts: name and language.

    Raises UserNotFound, PreconditionFailed.
    """
    user = await get_user(session, user_id, lock=True)
    require_match(if_match, user.version)
    _set_profile(session, user, wanted, vault=vault, now=now)
    return user


async def lock_user(session: AsyncSession, user_id: UUID, *, vault: Vault, now: datetime) -> User:
    """Lock the account: no sign-in, its sessions end, and its owner is told.

    Raises UserNotFound, AccountClosed, LastAdministrator.
    """
    user, others_administer = await _lock_for_change(session, user_id)
    if not allows(user, "lock"):
        raise AccountClosed
    if user.locked_at is not None:
        return user
    if not others_administer:
        _keep_administering(user, new_role=user.role, will_bar=True)
    user.locked_at = now
    journal.record(session, UserLocked.of(user))
    _end_sessions(session, user, "lock", now)
    await tell(session, user, "locked", vault=vault, now=now)
    return user


async def unlock_user(session: AsyncSession, user_id: UUID) -> User:
    """Let the account be what it was before, whatever was tried on it.

    Raises UserNotFound, AccountClosed.
    """
    user = await get_user(session, user_id, lock=True)
    if not allows(user, "unlock"):
        raise AccountClosed
    await throttle.unblock(session, user.email_index, user.id)
    if user.locked_at is not None:
        user.locked_at = None
        user.version += 1
        journal.record(session, UserUnlocked.of(user))
    return user


async def deactivate(
    session: AsyncSession,
    user_id: UUID,
    reason: DeactivationReason,
    *,
    vault: Vault,
    now: datetime,
) -> User:
    """Close the account of somebody who left, or do nothing if it is: all his sessions end.

    He is told by mail.

    Raises UserNotFound, LastAdministrator.
    """
    user, others_administer = await _lock_for_change(session, user_id)
    if user.deactivated_at is not None:
        return user
    if not others_administer:
        _keep_administering(user, new_role=user.role, will_bar=True)
    await tell(session, user, "deactivated", vault=vault, now=now)
    user.deactivated_at = now
    journal.record(session, UserDeactivated(user_id=user.id, reason=reason))
    _end_sessions(session, user, "deactivation", now)
    return user


async def reactivate(session: AsyncSession, user_id: UUID, *, vault: Vault, now: datetime) -> User:
    """Give an account back as it was, with its password; its user is told.

    Raises UserNotFound, AccountErased.
    """
    user = await get_user(session, user_id, lock=True)
    require_kept(user)
    if user.deactivated_at is not None:
        user.deactivated_at = None
        user.version += 1
        journal.record(session, UserReactivated.of(user))
        await tell(session, user, "reactivated", vault=vault, now=now)
    return user


async def lock_for_erasure(session: AsyncSession, user_id: UUID) -> User:
    """Return the user locked, who may go for good: another administers the tenant.

    Raises UserNotFound, LastAdministrator.
    """
    user, others_administer = await _lock_for_change(session, user_id)
    if not others_administer:
        _keep_administering(user, new_role=user.role, will_bar=True)
    return user


def erase(session: AsyncSession, user: User, password_hash: str, *, now: datetime) -> None:
    """Leave of the user, who is locked, what others' records name him by: an id.

    `password_hash` is that of a password that nobody knows. The address is free for anybody, and
    what the journal holds of the profile opens no more.
    """
    user.email_index = secrets.token_bytes(_INDEX_BYTES)  # That of no address.
    user.email_sealed = user.name_sealed = user.profile_key_sealed = None
    user.password_hash = password_hash
    user.password_change_required = False
    user.role = ROLE_OF_THE_REGISTERED
    user.locations = user.language = user.language_changed_at = None
    user.role_given_at = user.locked_at = user.factor_lost_at = None
    if user.deactivated_at is None:
        user.deactivated_at = now
        journal.record(session, UserDeactivated(user_id=user.id, reason="other"))
    user.sessions_ended_at = user.erased_at = now
    raise_token_version(user, now)
    user.verified_at = user.approved_at = None
    journal.record(session, UserErased.of(user))


def require_kept(user: User) -> None:
    """Raise AccountErased if nothing of the user is left that could change."""
    if user.erased_at is not None:
        raise AccountErased


async def end_sessions(session: AsyncSession, user_id: UUID, *, now: datetime) -> None:
    """End all sessions of the user, who asked for it. Raises UserNotFound."""
    _end_sessions(session, await get_user(session, user_id, lock=True), "logout_all", now)


def begin_anew(session: AsyncSession, user: User, *, now: datetime) -> None:
    """Note that the second factor of the user, who is locked, is lost: all his sessions end."""
    user.factor_lost_at = now
    _end_sessions(session, user, "factor_recovery", now)


def set_password(session: AsyncSession, user: User, password_hash: str, *, now: datetime) -> None:
    """Give the user, who is locked, a password of his own; access tokens that are out end."""
    user.password_hash = password_hash
    user.password_change_required = False
    raise_token_version(user, now)
    journal.record(session, UserPasswordChanged.of(user))


async def lock_with_administrators(session: AsyncSession, user_id: UUID) -> None:
    """Lock the user and all administrators: all that a change may need, in one order for all."""
    await queries.lock_with_administrators(session, user_id)


async def _lock_for_change(session: AsyncSession, user_id: UUID) -> tuple[User, bool]:
    """Return the user locked, and whether anybody else could go on administering.

    The tenant's administrators are locked with him, so that two cannot remove each other.
    """
    locked = await queries.lock_with_administrators(session, user_id)
    user = next((user for user in locked if user.id == user_id), None)
    if user is None:
        raise UserNotFound
    return user, len(locked) > 1


def _keep_administering(user: User, *, new_role: Role, will_bar: bool) -> None:
    """Raise LastAdministrator if the change ends the administration of the only one."""
    status = status_in(user)
    if ends_administration(role=user.role, status=status, new_role=new_role, will_bar=will_bar):
        raise LastAdministrator


def _set_profile(
    session: AsyncSession, user: User, wanted: ProfileUpdate, *, vault: Vault, now: datetime
) -> None:
    opened = open_fields(user, vault=vault)
    before = {"name": opened.name, "language": user.language}
    given = wanted.model_dump(include={"name", "language"}, exclude_unset=True)
    after = {
        field: value
        for field, value in given.items()
        if value != before[field] or field in opened.unreadable
    }
    if not after:
        return
    if "name" in after:
        user.name_sealed = seal_name(after["name"], user.tenant_id, user.id, vault=vault)
    if "language" in after:
        user.language = after["language"]
        user.language_changed_at = now
    user.version += 1
    journal.record(
        session,
        UserProfileChanged(
            user_id=user.id,
            changed=tuple(after),
            before=seal_profile({f: before[f] for f in after}, user, vault=vault),
            after=seal_profile(after, user, vault=vault),
        ),
    )


def _end_sessions(session: AsyncSession, user: User, reason: EndReason, now: datetime) -> None:
    user.sessions_ended_at = now
    raise_token_version(user, now)
    journal.record(session, UserSessionsEnded(user_id=user.id, reason=reason))


def raise_token_version(user: User, now: datetime) -> None:
    """End all access tokens of the user that are out: the gateway refuses older versions.

    Who never came in has none; what was mailed to him stays good.
    """
    user.version += 1
    if user.verified_at is not None:
        user.token_version += 1
        user.token_version_raised_at = now
