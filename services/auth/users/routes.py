from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.auth.errors import (
    EmailTaken,
    LastAdministrator,
    PasswordCommon,
    PasswordTooLong,
    PasswordTooShort,
    UserNotFound,
)
from services.auth.resources import Secrets
from services.auth.users import service
from services.auth.users.rules import Role
from services.auth.users.schemas import UserCreate, UserRead, UserUpdate
from shared.etag import require_match
from shared.pagination import Cursor, InvalidCursor, Limit
from shared.principal import Principal
from shared.schemas import Page
from shared.web import Now, Session, problems, requires
from shared.web.app import feature_router
from shared.web.etag import IfMatch

router = feature_router("/api/users", "users")

UserManager = Annotated[Principal, Depends(requires("user:manage"))]


@router.get("", responses=problems(InvalidCursor))
async def list_users(
    session: Session,
    vault: Secrets,
    _actor: UserManager,
    role: Role | None = None,
    locked: bool | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[UserRead]:
    """List the tenant's users, oldest first."""
    users, next_cursor = await service.page(session, cursor, limit, role=role, locked=locked)
    items = [service.opened(vault, user) for user in users]
    return Page[UserRead](items=items, next_cursor=next_cursor)


@router.post(
    "",
    status_code=201,
    responses=problems(EmailTaken, PasswordTooShort, PasswordTooLong, PasswordCommon),
)
async def create_user(
    body: UserCreate, session: Session, vault: Secrets, actor: UserManager, now: Now
) -> UserRead:
    """Create an account in your tenant, with a role and a first password."""
    user = await service.create_by_administrator(session, body, vault=vault, actor=actor, now=now)
    return service.opened(vault, user)


@router.get("/{user_id}", responses=problems(UserNotFound))
async def read_user(
    user_id: UUID,
    session: Session,
    vault: Secrets,
    _actor: UserManager,
) -> UserRead:
    """One user of your tenant."""
    user = await service.get(session, user_id)
    return service.opened(vault, user)


@router.patch("/{user_id}", responses=problems(UserNotFound, LastAdministrator))
async def update_user(
    user_id: UUID,
    body: UserUpdate,
    session: Session,
    vault: Secrets,
    _actor: UserManager,
    now: Now,
    if_match: IfMatch = None,
) -> UserRead:
    """Change name, language or role; a new role ends the access tokens with the old one."""
    held = await service.hold(session, user_id)
    require_match(if_match, held.user.revision)
    service.change(session, held, body, vault=vault, now=now)
    return service.opened(vault, held.user)


@router.post("/{user_id}/lock", responses=problems(UserNotFound, LastAdministrator))
async def lock_user(
    user_id: UUID, session: Session, vault: Secrets, _actor: UserManager, now: Now
) -> UserRead:
    """Lock an account: nobody signs in to it, and all its sessions end at once."""
    held = await service.hold(session, user_id)
    service.lock(session, held, now=now)
    return service.opened(vault, held.user)


@router.post("/{user_id}/unlock", responses=problems(UserNotFound))
async def unlock_user(
    user_id: UUID, session: Session, vault: Secrets, _actor: UserManager
) -> UserRead:
    """Let the user sign in again."""
    held = await service.hold(session, user_id)
    service.unlock(session, held.user)
    return service.opened(vault, held.user)
