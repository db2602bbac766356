"""New users, however they come."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.users import queries
from services.auth.users.errors import EmailTaken
from services.auth.users.models import User
from services.auth.users.rules import Language, Role, lookup_form
from services.auth.users.schemas import UserCreate
from services.auth.users.service.arrive import approve, take_over, verify
from services.auth.users.service.limit import limit
from services.auth.users.service.read import find_by_email, find_user, status_in
from services.auth.users.service.sealed import seal_email, seal_name
from services.auth.users.service.tell import tell_of_administrator
from services.auth.vault import Vault
from shared import journal
from shared.contracts.auth.users import Origin, UserRegistered, UserRoleChanged
from shared.db.conflicts import conflicts
from shared.ids import new_id
from shared.principal import Principal


@dataclass(frozen=True, slots=True)
class NewUser:
    email: str
    password_hash: str
    role: Role
    name: str | None = None
    language: Language | None = None
    password_change_required: bool = False
    is_verified: bool = True  # An administrator vouches for the address, or it was shown.
    is_approved: bool = True
    user_id: UUID = field(default_factory=new_id)


async def add_user(
    session: AsyncSession, wanted: UserCreate, *, vault: Vault, caller: Principal, now: datetime
) -> User:
    """Create an account with the role that the administrator chose.

    Raises EmailTaken, AdministratorUnlimited, PasswordTooShort, PasswordTooLong, PasswordCommon.
    """
    password_hash = await vault.passwords.hash_new(
        wanted.password,
        personal=(
            wanted.email,
            wanted.name or "",
            *await queries.list_tenant_names(session, caller.tenant_id),
        ),
    )
    user = await take_or_register(
        session,
        NewUser(
            wanted.email,
            password_hash,
            wanted.role,
            wanted.name,
            wanted.language,
            wanted.password_change_required,
        ),
        origin="administrator",
        tenant_id=caller.tenant_id,
        vault=vault,
        now=now,
    )
    limit(session, user, wanted.locations)
    if user.role == "admin":
        await tell_of_administrator(session, user, vault=vault, now=now)
    return user


async def take_or_register(
    session: AsyncSession,
    wanted: NewUser,
    *,
    origin: Origin,
    tenant_id: UUID,
    vault: Vault,
    now: datetime,
) -> User:
    """Create an account, or take one over that somebody registered with an address not his yet.

    Nothing of what he gave stays; what was mailed to him opens nothing. Raises EmailTaken.
    """
    found = await find_by_email(session, wanted.email, tenant_id=tenant_id, vault=vault)
    user = None if found is None else await find_user(session, found.id, lock=True)
    if user is None or status_in(user) != "unverified":
        return await register_user(
            session, wanted, origin=origin, tenant_id=tenant_id, vault=vault, now=now
        )
    take_over(user, wanted.password_hash, now=now)
    user.password_change_required = wanted.password_change_required
    user.name_sealed = seal_name(wanted.name, tenant_id, user.id, vault=vault)
    user.language = wanted.language
    if user.role != wanted.role:
        change = UserRoleChanged(user_id=user.id, before=user.role, after=wanted.role)
        journal.record(session, change)
        user.role = wanted.role
    if wanted.is_verified:
        verify(session, user, is_approved=wanted.is_approved, now=now)
    else:
        approve(session, user, now=now)
    return user


async def register_user(
    session: AsyncSession,
    wanted: NewUser,
    *,
    origin: Origin,
    tenant_id: UUID,
    vault: Vault,
    now: datetime,
) -> User:
    """Create an account in `tenant_id`, for which the session works. Raises EmailTaken."""
    form = lookup_form(wanted.email)
    # The constraint knows today's index alone; under an earlier key the address has another one.
    if await queries.find_by_index(session, vault.emails.candidates(form, tenant_id)) is not None:
        raise EmailTaken
    user_id = wanted.user_id
    user = User(
        tenant_id=tenant_id,
        id=user_id,
        email_index=vault.emails.of(form, tenant_id),
        email_sealed=seal_email(wanted.email, tenant_id, user_id, vault=vault),
        name_sealed=seal_name(wanted.name, tenant_id, user_id, vault=vault),
        password_hash=wanted.password_hash,
        password_change_required=wanted.password_change_required,
        role=wanted.role,
        locations=None,
        language=wanted.language,
        language_changed_at=None,
        verified_at=now if wanted.is_verified else None,
        approved_at=now if wanted.is_approved else None,
        locked_at=None,
        deactivated_at=None,
        erased_at=None,
        profile_key_sealed=None,
        token_version=1,
        version=1,
        created_at=now,
    )
    session.add(user)
    journal.record(session, UserRegistered(user_id=user_id, role=wanted.role, origin=origin))
    with conflicts({"users_tenant_id_email_index_key": EmailTaken()}):
        await session.flush()  # Of two who register at once, the database knows the first.
    return user
