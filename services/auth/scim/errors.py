"""What is refused of directories, beside what is refused of users.

`routes.form` says these in SCIM's own form; the `scimType` stands there.
"""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import BadRequest, Conflict, Forbidden, NotFound
from shared.i18n import N_


@dataclass(eq=False)
class OnlyWithApiKey(Forbidden):
    """A person manages users at /api/users, with fresh proofs. A directory has an API key."""

    slug: ClassVar[str] = "only-with-api-key"
    title: ClassVar[str] = N_("Only with an API key")
    detail: ClassVar[str] = N_(
        "This is for a directory, which sends an API key with the permission user:provision. "
        "Make one at /api/auth/api-keys; people manage users at /api/users."
    )


@dataclass(eq=False)
class FilterNotSupported(BadRequest):
    """The filter is beyond `eq` and `and`, or asks for an attribute that cannot be looked up."""

    slug: ClassVar[str] = "invalid-filter"
    title: ClassVar[str] = N_("Filter not supported")
    detail: ClassVar[str] = N_(
        "This filter is not supported. Write an attribute, eq and the value in double quotes, and "
        "join several by and. Users are found by userName, id, externalId, emails.value and "
        "active, groups by displayName, id and members.value."
    )


@dataclass(eq=False)
class PathNotSupported(BadRequest):
    slug: ClassVar[str] = "invalid-path"
    title: ClassVar[str] = N_("Path not supported")
    detail: ClassVar[str] = N_(
        "This path is not supported. Write it as in name.givenName; values of a list are chosen by "
        "conditions with eq in brackets."
    )


@dataclass(eq=False)
class ChangeNamesNothing(BadRequest):
    slug: ClassVar[str] = "no-target"
    title: ClassVar[str] = N_("Nothing named")
    detail: ClassVar[str] = N_(
        "This operation does not say what it changes. Give a path, or an object of attributes as "
        "its value."
    )


@dataclass(eq=False)
class AddressNeeded(BadRequest):
    """An account has an address, to which its mail goes and by which it is found at a sign-in."""

    slug: ClassVar[str] = "address-needed"
    title: ClassVar[str] = N_("Address needed")
    detail: ClassVar[str] = N_(
        "An account needs an e-mail address. Give one in emails, or as userName."
    )


@dataclass(eq=False)
class UserNameTaken(Conflict):
    slug: ClassVar[str] = "user-name-taken"
    title: ClassVar[str] = N_("User name taken")
    detail: ClassVar[str] = N_(
        "There is already an account with this userName or address. Look it up by a filter on "
        "userName, and change that one."
    )


@dataclass(eq=False)
class ProvisionedUserNotFound(NotFound):
    """There is no such account for the directory, or it removed it."""

    slug: ClassVar[str] = "provisioned-user-not-found"
    title: ClassVar[str] = N_("User not found")
    detail: ClassVar[str] = N_("There is no such user. List /api/scim/v2/Users for those there.")


@dataclass(eq=False)
class GroupNotFound(NotFound):
    slug: ClassVar[str] = "group-not-found"
    title: ClassVar[str] = N_("Group not found")
    detail: ClassVar[str] = N_("There is no such group. List /api/scim/v2/Groups for those there.")


@dataclass(eq=False)
class GroupsAreRoles(BadRequest):
    """Each role is a group, and only its members change."""

    slug: ClassVar[str] = "groups-are-roles"
    title: ClassVar[str] = N_("Groups are roles")
    detail: ClassVar[str] = N_(
        "The groups are the roles admin, manager, clerk, viewer and auditor. They cannot be "
        "added, renamed or removed: change their members."
    )


@dataclass(eq=False)
class MemberNotFound(BadRequest):
    slug: ClassVar[str] = "member-not-found"
    title: ClassVar[str] = N_("Member not found")
    detail: ClassVar[str] = N_(
        "There is no user {member}. Add the user first, then the membership."
    )
    member: str


@dataclass(eq=False)
class AttributeNotValid(BadRequest):
    """What an operation makes of an attribute is no value that it can have."""

    slug: ClassVar[str] = "attribute-not-valid"
    title: ClassVar[str] = N_("Attribute not valid")
    detail: ClassVar[str] = N_(
        "{attribute} cannot have this value. See /api/scim/v2/Schemas for what it can be."
    )
    attribute: str
