from typing import Annotated

from fastapi import Path, Query, Request, Response

from services.auth.requests import Secrets
from services.auth.scim import service
from services.auth.scim.errors import (
    AddressNeeded,
    AttributeNotValid,
    ChangeNamesNothing,
    FilterNotSupported,
    PathNotSupported,
    ProvisionedUserNotFound,
    UserNameTaken,
)
from services.auth.scim.routes.form import CanProvision, resource_answer, scim_answer, scim_router
from services.auth.scim.schemas import (
    ScimListRead,
    ScimPatch,
    ScimQuery,
    ScimShown,
    ScimUserCreate,
    ScimUserRead,
)
from services.auth.users.errors import (
    AccountErased,
    AdministratorUnlimited,
    EmailTaken,
    LastAdministrator,
    UserNotFound,
)
from shared.etag import is_known
from shared.web import Now, Session, problems
from shared.web.etag import IfMatch

router = scim_router("/Users")

UserId = Annotated[str, Path(max_length=64)]
Shown = Annotated[ScimShown, Query()]


@router.get("", response_model=ScimListRead, responses=problems(FilterNotSupported))
async def list_provisioned_users(
    asked: Annotated[ScimQuery, Query()], session: Session, vault: Secrets, caller: CanProvision
) -> Response:
    """List users for a directory.

    All of the tenant, or those that a filter chooses.
    """
    found = await service.list_users(session, asked, vault=vault, caller=caller)
    return scim_answer(found.model_dump(mode="json", by_alias=True), vault=vault)


@router.post(
    "",
    status_code=201,
    response_model=ScimUserRead,
    responses=problems(
        UserNameTaken,
        EmailTaken,
        AddressNeeded,
        UserNotFound,
        LastAdministrator,
        AccountErased,
        AdministratorUnlimited,
    ),
)
async def add_provisioned_user(
    body: ScimUserCreate, session: Session, vault: Secrets, caller: CanProvision, now: Now
) -> Response:
    """Create a user by a directory.

    The account is verified and approved, without a password, a viewer until a group says more.
    """
    user = await service.add_user(session, body, vault=vault, caller=caller, now=now)
    return resource_answer(user, ScimShown(), vault=vault, status=201)


@router.get("/{user_id}", response_model=ScimUserRead, responses=problems(ProvisionedUserNotFound))
async def get_provisioned_user(
    user_id: UserId,
    asked: Shown,
    request: Request,
    session: Session,
    vault: Secrets,
    _caller: CanProvision,
) -> Response:
    """Read a user for a directory."""
    user = await service.get_user(session, user_id, vault=vault)
    tag = (user.meta.version or "").removeprefix("W/")
    if is_known(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers={"ETag": user.meta.version or ""})
    return resource_answer(user, asked, vault=vault)


@router.put(
    "/{user_id}",
    response_model=ScimUserRead,
    responses=problems(
        ProvisionedUserNotFound,
        UserNotFound,
        UserNameTaken,
        EmailTaken,
        AddressNeeded,
        LastAdministrator,
        AccountErased,
    ),
)
async def replace_provisioned_user(
    user_id: UserId,
    body: ScimUserCreate,
    session: Session,
    vault: Secrets,
    _caller: CanProvision,
    now: Now,
    if_match: IfMatch = None,
) -> Response:
    """Replace a user by a directory.

    What is left out is emptied, but for `active`, which stays as it is.
    """
    user = await service.replace_user(session, user_id, body, if_match, vault=vault, now=now)
    return resource_answer(user, ScimShown(), vault=vault)


@router.patch(
    "/{user_id}",
    response_model=ScimUserRead,
    responses=problems(
        ProvisionedUserNotFound,
        UserNotFound,
        UserNameTaken,
        EmailTaken,
        AddressNeeded,
        LastAdministrator,
        AccountErased,
        PathNotSupported,
        ChangeNamesNothing,
        AttributeNotValid,
    ),
)
async def change_provisioned_user(
    user_id: UserId,
    body: ScimPatch,
    session: Session,
    vault: Secrets,
    _caller: CanProvision,
    now: Now,
    if_match: IfMatch = None,
) -> Response:
    """Change a user by a directory.

    `active` false ends sessions and API keys within a second.
    """
    user = await service.change_user(session, user_id, body, if_match, vault=vault, now=now)
    return resource_answer(user, ScimShown(), vault=vault)


@router.delete(
    "/{user_id}",
    status_code=204,
    responses=problems(ProvisionedUserNotFound, UserNotFound, AccountErased, LastAdministrator),
)
async def remove_provisioned_user(
    user_id: UserId,
    session: Session,
    vault: Secrets,
    _caller: CanProvision,
    now: Now,
    if_match: IfMatch = None,
) -> None:
    """Remove a user by a directory.

    The account is deactivated, and 404 to the directory from then on; what it did stays known.
    """
    await service.remove_user(session, user_id, if_match, vault=vault, now=now)
