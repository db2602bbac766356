import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.errors import EmailTaken, LastAdministrator, UserNotFound
from services.auth.passwords.service import accept
from services.auth.users import queries
from services.auth.users.models import User
from services.auth.users.rules import (
    Role,
    ends_administration,
    is_session_over,
    lookup_form,
    scopes_of,
)
from services.auth.users.schemas import ProfileUpdate, UserCreate, UserRead, UserUpdate
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.contracts.auth.users import (
    EndReason,
    Origin,
    UserLocked,
    UserProfileChanged,
    UserRegistered,
    UserRoleChanged,
    UserSessionsEnded,
    UserUnlocked,
)
from shared.ids import new_id
from shared.pagination import InvalidCursor, decode_cursor, encode_cursor
from shared.principal import Principal
from shared.security.sealing import place

SORT = "id"
_EMAIL = "auth.users.email"
_NAME = "auth.users.name"
_PROFILE = "auth.journal.profile"


@dataclass(frozen=True, slots=True)
class NewUser:
    email: str
    password_hash: str
    role: Role
    name: str | None = None
    language: Literal["en", "fr"] | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A user locked for a change, and whether anybody else could go on administering."""

    user: User
    others_administer: bool


async def create(
    session: AsyncSession,
    wanted: NewUser,
    *,
    origin: Origin,
    tenant_id: UUID,
    vault: Vault,
    now: datetime,
) -> User:
    """Create an account in `tenant_id`, for which the session works. Raises EmailTaken."""
    user_id = new_id()
    form = lookup_form(wanted.email)
    if await queries.find_by_index(session, vault.emails.candidates(form, tenant_id)) is not None:
        raise EmailTaken
    user = User(
        tenant_id=tenant_id,
        id=user_id,
        email_index=vault.emails.of(form, tenant_id),
        email_sealed=vault.sealer.seal(wanted.email.encode(), place(_EMAIL, tenant_id, user_id)),
        name_sealed=_sealed_name(vault, wanted.name, tenant_id, user_id),
        password_hash=wanted.password_hash,
        role=wanted.role,
        language=wanted.language,
        locked_at=None,
        token_version=1,
        revision=1,
        created_at=now,
    )
    if not await queries.insert_unless_taken(session, user):
        raise EmailTaken
    journal.record(session, UserRegistered(user_id=user_id, role=wanted.role, origin=origin))
    return user


async def create_by_administrator(
    session: AsyncSession, wanted: UserCreate, *, vault: Vault, actor: Principal, now: datetime
) -> User:
    """Create an account with the role that the administrator chose.

    Raises EmailTaken, PasswordTooShort, PasswordTooLong, PasswordCommon.
    """
    password = accept(
        wanted.password.get_secret_value(),
        length_min=vault.settings.password_min_length,
        personal=(wanted.email, wanted.name or ""),
    )
    password_hash = await vault.passwords.hash(password)
    return await create(
        session,
        NewUser(wanted.email, password_hash, wanted.role, wanted.name, wanted.language),
        origin="administrator",
        tenant_id=actor.tenant_id,
        vault=vault,
        now=now,
    )


async def find(session: AsyncSession, user_id: UUID) -> User | None:
    """Return the user, or None."""
    return await queries.find(session, user_id)


async def get(session: AsyncSession, user_id: UUID) -> User:
    """Return the user. Raises UserNotFound."""
    user = await queries.find(session, user_id)
    if user is None:
        raise UserNotFound
    return user


async def find_by_email(
    session: AsyncSession, email: str, *, tenant_id: UUID, vault: Vault
) -> User | None:
    """Return the tenant's account with this address, regardless of case, or None."""
    return await queries.find_by_index(
        session, vault.emails.candidates(lookup_form(email), tenant_id)
    )


async def has_administrator(session: AsyncSession) -> bool:
    """Say whether the tenant ever got an administrator: the last one cannot be removed."""
    return await queries.has_administrator(session)


async def page(
    session: AsyncSession,
    cursor: str | None,
    limit: int,
    *,
    role: Role | None,
    locked: bool | None,
) -> tuple[Sequence[User], str | None]:
    """Return one page of users, oldest first, and the cursor of the next. Raises InvalidCursor."""
    found = await queries.page(
        session, after=_after(cursor), role=role, locked=locked, limit=limit + 1
    )
    return found[:limit], encode_cursor(SORT, [found[limit - 1].id]) if len(found) > limit else None


async def hold_own(session: AsyncSession, user_id: UUID) -> User:
    """Return the user, locked until the transaction ends. Raises UserNotFound."""
    user = await queries.lock(session, user_id)
    if user is None:
        raise UserNotFound
    return user


async def hold(session: AsyncSession, user_id: UUID) -> Held:
    """Return the user for a change by an administrator, locked until the transaction ends.

    The tenant's administrators are locked with him, so that two cannot remove each other.
    Raises UserNotFound.
    """
    locked = await queries.lock_with_administrators(session, user_id)
    user = next((user for user in locked if user.id == user_id), None)
    if user is None:
        raise UserNotFound
    return Held(user, others_administer=len(locked) > 1)


def change(
    session: AsyncSession, held: Held, wanted: UserUpdate, *, vault: Vault, now: datetime
) -> None:
    """Change name, language and role; a new role ends the access tokens that carry the old one.

    Raises LastAdministrator.
    """
    user = held.user
    change_profile(session, user, wanted, vault=vault)
    if wanted.role is None or wanted.role == user.role:
        return
    before = user.role
    _keep_an_administrator(held, new_role=wanted.role, will_lock=False)
    user.role = wanted.role
    raise_version(user, now)
    journal.record(session, UserRoleChanged(user_id=user.id, before=before, after=wanted.role))


def change_profile(
    session: AsyncSession, user: User, wanted: ProfileUpdate, *, vault: Vault
) -> None:
    """Change what a user may change of the own account: name and language."""
    before = {"name": name_of(vault, user), "language": user.language}
    given = wanted.model_dump(include={"name", "language"}, exclude_unset=True)
    after = {field: value for field, value in given.items() if value != before[field]}
    if not after:
        return
    if "name" in after:
        user.name_sealed = _sealed_name(vault, after["name"], user.tenant_id, user.id)
    if "language" in after:
        user.language = after["language"]
    user.revision += 1
    at = place(_PROFILE, user.tenant_id, user.id)
    journal.record(
        session,
        UserProfileChanged(
            user_id=user.id,
            changed=tuple(after),
            before=vault.sealer.seal_text(json.dumps({f: before[f] for f in after}).encode(), at),
            after=vault.sealer.seal_text(json.dumps(after).encode(), at),
        ),
    )


def lock(session: AsyncSession, held: Held, *, now: datetime) -> None:
    """Lock the account: no sign-in, and its sessions end. Raises LastAdministrator."""
    user = held.user
    if user.locked_at is not None:
        return
    _keep_an_administrator(held, new_role=user.role, will_lock=True)
    user.locked_at = now
    journal.record(session, UserLocked(user_id=user.id))
    end_sessions(session, user, reason="lock", now=now)


def end_sessions(session: AsyncSession, user: User, *, reason: EndReason, now: datetime) -> None:
    """End all sessions of the user and the access tokens that came of them."""
    user.sessions_ended_at = now
    raise_version(user, now)
    journal.record(session, UserSessionsEnded(user_id=user.id, reason=reason))


def has_ended_session(user: User, started_at: datetime) -> bool:
    """Say whether the user's state ends a session that started at this moment."""
    return is_session_over(
        started_at, locked_at=user.locked_at, sessions_ended_at=user.sessions_ended_at
    )


def unlock(session: AsyncSession, user: User) -> None:
    """Let the user sign in again."""
    if user.locked_at is None:
        return
    user.locked_at = None
    user.revision += 1
    journal.record(session, UserUnlocked(user_id=user.id))


async def renew_hash(session: AsyncSession, user_id: UUID, password_hash: str) -> None:
    """Store the same password hashed with today's parameters."""
    await queries.set_password_hash(session, user_id, password_hash)


def raise_version(user: User, now: datetime) -> None:
    """End all access tokens of the user that are out: the gateway refuses older versions."""
    user.token_version += 1
    user.token_version_raised_at = now
    user.revision += 1


def scopes_in(user: User) -> frozenset[str]:
    """Return what the user's role allows in the user's tenant."""
    return scopes_of(user.role, in_default_tenant=user.tenant_id == DEFAULT_TENANT_ID)


def name_of(vault: Vault, user: User) -> str | None:
    if user.name_sealed is None:
        return None
    return vault.sealer.open(user.name_sealed, place(_NAME, user.tenant_id, user.id)).decode()


def opened(vault: Vault, user: User) -> UserRead:
    """Return the user as others may see him, with the sealed fields opened."""
    email = vault.sealer.open(user.email_sealed, place(_EMAIL, user.tenant_id, user.id))
    return UserRead(
        id=user.id,
        email=email.decode(),
        name=name_of(vault, user),
        role=user.role,
        scopes=sorted(scopes_in(user)),
        language=cast("Literal['en', 'fr'] | None", user.language),
        locked=user.locked_at is not None,
        version=user.revision,
        created_at=user.created_at,
    )


def _keep_an_administrator(held: Held, *, new_role: Role, will_lock: bool) -> None:
    ends = ends_administration(
        role=held.user.role,
        is_locked=held.user.locked_at is not None,
        new_role=new_role,
        will_lock=will_lock,
    )
    if ends and not held.others_administer:
        raise LastAdministrator


def _sealed_name(vault: Vault, name: str | None, tenant_id: UUID, user_id: UUID) -> bytes | None:
    if name is None:
        return None
    return vault.sealer.seal(name.encode(), place(_NAME, tenant_id, user_id))


def _after(cursor: str | None) -> UUID | None:
    values = decode_cursor(cursor, SORT, 1)
    try:
        return UUID(values[0]) if values else None
    except ValueError as error:
        raise InvalidCursor from error
