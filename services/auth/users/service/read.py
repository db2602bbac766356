"""Finding users, and showing them to others."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.users import queries
from services.auth.users.errors import UserNotFound
from services.auth.users.models import User
from services.auth.users.rules import (
    ACTS,
    ERASED_NAME,
    Act,
    Status,
    is_session_over,
    lookup_form,
    scopes_of,
    status_of,
)
from services.auth.users.schemas import UserPage, UserQuery, UserRead
from services.auth.users.service.sealed import open_fields
from services.auth.vault import Vault
from shared.contracts.auth.tenants import DEFAULT_TENANT_ID
from shared.errors import Unauthorized
from shared.i18n import translate
from shared.pagination import Keyset
from shared.principal import Principal

_OLDEST_FIRST = Keyset("id", UUID)  # Ids grow with time.


async def list_users(
    session: AsyncSession, asked: UserQuery, *, vault: Vault, language: str = "en"
) -> UserPage:
    """Return one page of the tenant's users, oldest first. Raises InvalidCursor."""
    found = await queries.list_users(
        session,
        after=_OLDEST_FIRST.after(asked.cursor),
        role=asked.role,
        locked=asked.locked,
        status=asked.status,
        limit=asked.limit + 1,
    )
    users, next_cursor = _OLDEST_FIRST.page(found, asked.limit, lambda user: (user.id,))
    items = [to_read(user, vault=vault, language=language) for user in users]
    return UserPage(items=items, next_cursor=next_cursor)


async def get_user(session: AsyncSession, user_id: UUID, *, lock: bool = False) -> User:
    """Return the user; with `lock`, nobody changes him until the transaction ends.

    Raises UserNotFound.
    """
    user = await find_user(session, user_id, lock=lock)
    if user is None:
        raise UserNotFound
    return user


async def get_caller(session: AsyncSession, caller: Principal) -> User:
    """Return the caller's own account, locked, as long as his token is of today.

    Whatever ended it while the request was under way counts; an enrolment token ends with the first
    thing done with it too. Raises UserNotFound, Unauthorized.
    """
    user = await get_user(session, caller.id, lock=True)
    if not is_current(user, caller):
        raise Unauthorized
    return user


async def find_user(session: AsyncSession, user_id: UUID, *, lock: bool = False) -> User | None:
    """Return the user, or None; with `lock`, nobody changes him until the transaction ends."""
    return await queries.find_user(session, user_id, lock=lock)


async def find_by_email(
    session: AsyncSession, email: str, *, tenant_id: UUID, vault: Vault
) -> User | None:
    """Return the tenant's account with this address, regardless of case, or None.

    One found by an index of an earlier form, which is not its address's, is another's.
    """
    form = lookup_form(email)
    user = await queries.find_by_index(session, vault.emails.candidates(form, tenant_id))
    stored = None if user is None else open_fields(user, vault=vault).email
    return user if stored is None or lookup_form(stored) == form else None


async def list_administrators(session: AsyncSession) -> Sequence[User]:
    """Return the tenant's administrators who can sign in."""
    return await queries.list_administrators(session)


def administers(user: User) -> bool:
    """Say whether it is an administrator who can sign in."""
    return user.role == "admin" and allows(user, "sign_in")


def administers_since(user: User) -> datetime:
    """Return since when an administrator has been one whom the account lets in."""
    moments = (user.created_at, user.verified_at, user.approved_at, user.role_given_at)
    return max(moment for moment in moments if moment is not None)


async def has_administrator(session: AsyncSession) -> bool:
    """Say whether the tenant ever got an administrator: the last one cannot be removed."""
    return await queries.has_administrator(session)


def has_ended_session(user: User, started_at: datetime) -> bool:
    """Say whether the user's state ends a session that started at this moment."""
    return is_session_over(
        started_at, is_barred=is_barred(user), sessions_ended_at=user.sessions_ended_at
    )


def allows(user: User, act: Act) -> bool:
    """Say whether the act is possible with the account as it stands."""
    return status_in(user) in ACTS[act]


def is_current(user: User, caller: Principal) -> bool:
    """Say whether the caller's token is of the rights that the account has now."""
    return not is_barred(user) and user.token_version == caller.token_version


def is_barred(user: User) -> bool:
    """Say whether nobody gets in by this account: it is locked or deactivated."""
    return status_in(user) in {"locked", "deactivated"}


def scopes_in(user: User) -> frozenset[str]:
    """Return what the user's role allows in the user's tenant."""
    return scopes_of(user.role, in_default_tenant=user.tenant_id == DEFAULT_TENANT_ID)


def locations_of(user: User) -> frozenset[UUID] | None:
    """Return the locations that the user is limited to, as a token says it; None for no limit."""
    return frozenset(user.locations) if user.locations else None


def status_in(user: User) -> Status:
    """Return where the account stands."""
    return status_of(
        is_verified=user.verified_at is not None,
        is_approved=user.approved_at is not None,
        is_locked=user.locked_at is not None,
        is_deactivated=user.deactivated_at is not None,
    )


def to_read(user: User, *, vault: Vault, language: str = "en") -> UserRead:
    """Return the user as others may see him, with the sealed fields opened.

    Who was erased is called so, in this language.
    """
    opened = open_fields(user, vault=vault)
    return UserRead(
        id=user.id,
        email=opened.email,
        name=opened.name if user.erased_at is None else translate(ERASED_NAME, language),
        role=user.role,
        scopes=sorted(scopes_in(user)),
        locations=user.locations,
        language=user.language,
        locked=user.locked_at is not None,
        status=status_in(user),
        version=user.version,
        created_at=user.created_at,
        erased_at=user.erased_at,
        unreadable=opened.unreadable,
    )
