from typing import Annotated

from fastapi import Path, Query, Response

from services.auth.requests import Secrets
from services.auth.scim import service
from services.auth.scim.errors import (
    ChangeNamesNothing,
    FilterNotSupported,
    GroupNotFound,
    GroupsAreRoles,
    MemberNotFound,
)
from services.auth.scim.routes.form import CanProvision, resource_answer, scim_answer, scim_router
from services.auth.scim.schemas import (
    ScimGroupRead,
    ScimGroupReplace,
    ScimListRead,
    ScimPatch,
    ScimQuery,
    ScimShown,
)
from services.auth.users.errors import (
    AccountErased,
    AdministratorUnlimited,
    LastAdministrator,
    UserNotFound,
)
from shared.web import Now, Session, problems

router = scim_router("/Groups")

GroupName = Annotated[str, Path(max_length=64, description="The role.")]


@router.get("", response_model=ScimListRead, responses=problems(FilterNotSupported))
async def list_groups(
    asked: Annotated[ScimQuery, Query()], session: Session, vault: Secrets, _caller: CanProvision
) -> Response:
    """List groups.

    One for each role, or those that a filter chooses.
    """
    found = await service.list_groups(session, asked)
    return scim_answer(found.model_dump(mode="json", by_alias=True), vault=vault)


@router.post(
    "",
    status_code=201,
    response_description="Never: the groups are the roles.",
    responses=problems(GroupsAreRoles),
)
async def add_group(_body: ScimGroupReplace, _caller: CanProvision) -> Response:
    """Create a group, which is refused.

    The roles are what they are: link your groups to those that there are.
    """
    raise GroupsAreRoles


@router.get("/{name}", response_model=ScimGroupRead, responses=problems(GroupNotFound))
async def get_group(
    name: GroupName,
    asked: Annotated[ScimShown, Query()],
    session: Session,
    vault: Secrets,
    _caller: CanProvision,
) -> Response:
    """Read a group.

    Its members are those who have the role.
    """
    group = await service.get_group(session, name, asked)
    return resource_answer(group, asked, vault=vault)


@router.put(
    "/{name}",
    response_model=ScimGroupRead,
    responses=problems(
        GroupNotFound,
        GroupsAreRoles,
        MemberNotFound,
        UserNotFound,
        LastAdministrator,
        AccountErased,
        AdministratorUnlimited,
    ),
)
async def replace_group(
    name: GroupName,
    body: ScimGroupReplace,
    session: Session,
    vault: Secrets,
    _caller: CanProvision,
    now: Now,
) -> Response:
    """Replace the members of a group.

    They have its role then, and whoever else had it is a viewer.
    """
    group = await service.replace_group(session, name, body, vault=vault, now=now)
    return resource_answer(group, ScimShown(), vault=vault)


@router.patch(
    "/{name}",
    status_code=204,
    responses=problems(
        GroupNotFound,
        GroupsAreRoles,
        ChangeNamesNothing,
        MemberNotFound,
        UserNotFound,
        LastAdministrator,
        AccountErased,
        AdministratorUnlimited,
    ),
)
async def change_group(
    name: GroupName,
    body: ScimPatch,
    session: Session,
    vault: Secrets,
    _caller: CanProvision,
    now: Now,
) -> None:
    """Change the members of a group.

    Who joins has its role; who leaves is a viewer.
    """
    await service.change_group(session, name, body, vault=vault, now=now)


@router.delete("/{name}", status_code=204, responses=problems(GroupsAreRoles))
async def remove_group(name: GroupName, _caller: CanProvision) -> None:  # noqa: ARG001 - of any.
    """Remove a group, which is refused.

    The roles are what they are: remove members instead.
    """
    raise GroupsAreRoles
