"""The roles of the tenant as groups of a directory: each user is a member of exactly one."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.scim import queries
from services.auth.scim.errors import (
    ChangeNamesNothing,
    FilterNotSupported,
    GroupNotFound,
    GroupsAreRoles,
    MemberNotFound,
)
from services.auth.scim.rules.filters import parse_filter
from services.auth.scim.rules.membership import Memberships, read_membership
from services.auth.scim.rules.names import GROUP, LIST_RESPONSE, location
from services.auth.scim.rules.showing import names_in, wants
from services.auth.scim.schemas import (
    ScimGroupRead,
    ScimGroupReplace,
    ScimListRead,
    ScimMembershipRead,
    ScimMeta,
    ScimPatch,
    ScimQuery,
    ScimShown,
)
from services.auth.scim.service.users import chosen, id_in
from services.auth.users import service as users
from services.auth.users.rules import ROLE_OF_THE_REGISTERED, ROLES, Role
from services.auth.users.schemas import UserUpdate
from services.auth.vault import Vault

_KNOWN: Final[Mapping[str, str]] = {
    "id": "name", "displayname": "name", "members": "member", "members.value": "member",
}  # fmt: skip


async def list_groups(session: AsyncSession, asked: ScimQuery) -> ScimListRead:
    """Return the groups that a filter chooses. Raises FilterNotSupported."""
    roles = [role for role in ROLES if await _fits(session, role, asked.filter)]
    start, count = max(asked.start_index, 1), max(asked.count, 0)
    page = roles[start - 1 :][:count]
    return ScimListRead(
        schemas=[LIST_RESPONSE],
        total_results=len(roles),
        start_index=start,
        items_per_page=len(page),
        resources=[chosen(await _to_read(session, role, asked), asked) for role in page],
    )


async def get_group(session: AsyncSession, name: str, asked: ScimShown) -> ScimGroupRead:
    """Return a group. Raises GroupNotFound."""
    return await _to_read(session, _role(name), asked)


async def replace_group(
    session: AsyncSession, name: str, wanted: ScimGroupReplace, *, vault: Vault, now: datetime
) -> ScimGroupRead:
    """Let a group have these members. Raises as `change_group`."""
    role = _role(name)
    _keep_name(role, wanted.display_name)
    members = Memberships(replaced=True, added=[one.value for one in wanted.members])
    await _change(session, role, members, vault=vault, now=now)
    return await _to_read(session, role, ScimShown())


async def change_group(
    session: AsyncSession, name: str, wanted: ScimPatch, *, vault: Vault, now: datetime
) -> None:
    """Add members, whose role becomes this one, or remove some, who are viewers then.

    Raises GroupNotFound, GroupsAreRoles, ChangeNamesNothing, MemberNotFound, UserNotFound,
    LastAdministrator, AdministratorUnlimited.
    """
    role = _role(name)
    members = Memberships()
    for operation in wanted.operations:
        asked = read_membership(operation.op, operation.path, operation.value)
        if asked is None:
            raise ChangeNamesNothing
        _keep_name(role, asked.display_name)
        members = members.then(asked)
    await _change(session, role, members, vault=vault, now=now)


async def _change(
    session: AsyncSession, role: Role, wanted: Memberships, *, vault: Vault, now: datetime
) -> None:
    """Give each the role that follows; administrators come before others go, in key order."""
    added, removed = _ids(wanted.added), _ids(wanted.removed)
    roles = await queries.list_roles(session, [*added, *removed])
    missing = next((one for one in added if one not in roles), None)
    if missing is not None:
        raise MemberNotFound(member=str(missing))
    if wanted.replaced:
        removed = {one for one in await queries.list_members(session, role) if one not in added}
        roles |= dict.fromkeys(removed, role)
    after: dict[UUID, Role] = dict.fromkeys(added, role)
    after |= {one: ROLE_OF_THE_REGISTERED for one in removed if roles.get(one) == role}
    for user_id in sorted(after, key=lambda one: (after[one] != "admin", one)):
        update = UserUpdate(role=after[user_id])
        await users.change_user(session, user_id, update, None, vault=vault, now=now)


async def _fits(session: AsyncSession, role: Role, text: str | None) -> bool:
    """Say whether a filter chooses the group. Raises FilterNotSupported."""
    if text is None:
        return True
    terms = parse_filter(text, _KNOWN)
    if terms is None or any(isinstance(term.value, bool) for term in terms):
        raise FilterNotSupported
    for term in terms:
        value = str(term.value)
        if term.attribute == "name":
            if value.casefold() != role:
                return False
        elif (member := id_in(value)) is None or (
            (await queries.list_roles(session, [member])).get(member) != role
        ):
            return False
    return True


async def _to_read(session: AsyncSession, role: Role, asked: ScimShown) -> ScimGroupRead:
    shows_members = wants(
        "members",
        wanted=names_in(asked.attributes),
        unwanted=names_in(asked.excluded_attributes),
    )
    members = await queries.list_members(session, role) if shows_members else None
    return ScimGroupRead(
        schemas=[GROUP],
        id=role,
        display_name=role,
        members=None if members is None else [_member(one) for one in members],
        meta=ScimMeta(resource_type="Group", location=location("Groups", role)),
    )


def _member(user_id: UUID) -> ScimMembershipRead:
    return ScimMembershipRead(value=str(user_id), ref=location("Users", user_id), type="User")


def _role(name: str) -> Role:
    found = next((role for role in ROLES if role == name), None)
    if found is None:
        raise GroupNotFound
    return found


def _keep_name(role: Role, name: Any) -> None:  # noqa: ANN401 - any JSON value.
    """Raise GroupsAreRoles for another name than the role's."""
    if name is not None and name != role:
        raise GroupsAreRoles


def _ids(members: Iterable[str]) -> set[UUID]:
    found = {one: id_in(one) for one in members}
    for text, user_id in found.items():
        if user_id is None:
            raise MemberNotFound(member=text)
    return {user_id for user_id in found.values() if user_id is not None}
