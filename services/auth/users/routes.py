from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.auth.passwords.errors import PasswordCommon, PasswordTooLong, PasswordTooShort
from services.auth.requests import Secrets
from services.auth.users import service
from services.auth.users.errors import (
    AccountClosed,
    AccountErased,
    AdministratorUnlimited,
    EmailTaken,
    LastAdministrator,
    UserNotFound,
)
from services.auth.users.schemas import UserCreate, UserPage, UserQuery, UserRead, UserUpdate
from shared.pagination import InvalidCursor
from shared.principal import Principal
from shared.web import Language, Now, Session, feature_router, problems, requires
from shared.web.etag import IfMatch
from shared.web.route import SmallRoute

router = feature_router("/api/users", "users", route_class=SmallRoute)

CanManage = Annotated[Principal, Depends(requires("user:manage"))]
CanManageNow = Annotated[Principal, Depends(requires("user:manage", fresh=True))]


@router.get("", responses=problems(InvalidCursor))
async def list_users(
    asked: Annotated[UserQuery, Query()],
    session: Session,
    vault: Secrets,
    _caller: CanManage,
    language: Language,
) -> UserPage:
    """List users.

    Those of your tenant, oldest first.
    """
    return await service.list_users(session, asked, vault=vault, language=language)


@router.post(
    "",
    status_code=201,
    responses=problems(
        EmailTaken, AdministratorUnlimited, PasswordTooShort, PasswordTooLong, PasswordCommon
    ),
)
async def add_user(
    body: UserCreate, session: Session, vault: Secrets, caller: CanManageNow, now: Now
) -> UserRead:
    """Create a user.

    In your tenant, with a role and a first password.
    """
    user = await service.add_user(session, body, vault=vault, caller=caller, now=now)
    return service.to_read(user, vault=vault)


@router.get("/{user_id}", responses=problems(UserNotFound))
async def get_user(
    user_id: UUID, session: Session, vault: Secrets, _caller: CanManage, language: Language
) -> UserRead:
    """Read a user."""
    found = await service.get_user(session, user_id)
    return service.to_read(found, vault=vault, language=language)


@router.patch(
    "/{user_id}",
    responses=problems(UserNotFound, AccountErased, LastAdministrator, AdministratorUnlimited),
)
async def change_user(
    user_id: UUID,
    body: UserUpdate,
    session: Session,
    vault: Secrets,
    _caller: CanManageNow,
    now: Now,
    if_match: IfMatch = None,
) -> UserRead:
    """Change a user.

    Name, language, role or locations. A new role or other locations end the access tokens with
    the old ones.
    """
    user = await service.change_user(session, user_id, body, if_match, vault=vault, now=now)
    return service.to_read(user, vault=vault)


@router.post("/{user_id}/unlock", responses=problems(UserNotFound, AccountClosed))
async def unlock_user(
    user_id: UUID, session: Session, vault: Secrets, _caller: CanManageNow
) -> UserRead:
    """Unlock a user.

    The account is again what it was before: who could sign in can, who was invited is. API keys
    must be made anew.
    """
    return service.to_read(await service.unlock_user(session, user_id), vault=vault)
