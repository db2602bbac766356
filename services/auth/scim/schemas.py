"""What directories send and get, under SCIM's own names (RFC 7643)."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from services.auth.scim.rules.names import FILTER_LENGTH_MAX, OPERATIONS_MAX, PAGE_MAX
from services.auth.users.schemas import Email
from shared.i18n.validation import MESSAGES
from shared.schemas import Input, Output, QueryModel, ShortText, Text, Update

_EMAILS_MAX = 20
_MEMBERS_MAX = 5000
_SCHEMAS_MAX = 20
_KEY_SHOWN = 64


def _truth(value: object) -> object:
    """Return true and false also where they came as texts, as Entra ID sends them."""
    if isinstance(value, str) and value.casefold() in {"true", "false"}:
        return value.casefold() == "true"
    return value


def _nothing_as_none(value: object) -> object:
    return None if value == "" else value


def refuse_twice(given: Any) -> None:  # noqa: ANN401 - any JSON value.
    """Refuse an attribute that is given twice, at any depth: case does not tell names apart."""
    if isinstance(given, list):
        for one in given:
            refuse_twice(one)
    if isinstance(given, dict):
        names = set()
        for name, value in given.items():
            if name.lower() in names:
                key = name[:_KEY_SHOWN]
                raise PydanticCustomError("given_twice", MESSAGES["given_twice"], {"key": key})
            names.add(name.lower())
            refuse_twice(value)


Truth = Annotated[bool, BeforeValidator(_truth)]
Named = Annotated[ShortText | None, BeforeValidator(_nothing_as_none)]
Uri = Annotated[Text, Field(max_length=200)]
Uris = Annotated[list[Uri], Field(max_length=_SCHEMAS_MAX)]


class ScimInput(Input):
    """Part of a body: names count regardless of case, and what is not kept is passed over."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _by_our_names(cls, given: Any) -> Any:  # noqa: ANN401 - any JSON value.
        if not isinstance(given, dict):
            return given
        refuse_twice(given)
        known = {(one.alias or name).lower(): one.alias for name, one in cls.model_fields.items()}
        return {known.get(str(name).lower(), name): value for name, value in given.items()}


class ScimName(ScimInput):
    formatted: Named = None
    given_name: Named = None
    family_name: Named = None


class ScimEmail(ScimInput):
    value: Email
    type: Named = None
    primary: Truth | None = None


class ScimUserCreate(ScimInput):
    """A user as the directory has it; a PUT has the same form."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                    "userName": "ada@example.com",
                    "externalId": "8a2f6c1e",
                    "name": {"givenName": "Ada", "familyName": "Lovelace"},
                    "emails": [{"value": "ada@example.com", "type": "work", "primary": True}],
                    "active": True,
                }
            ]
        }
    )

    schemas: Uris = Field(default=[])
    user_name: ShortText
    external_id: Named = None
    name: ScimName | None = None
    display_name: Named = None
    emails: Annotated[list[ScimEmail], Field(max_length=_EMAILS_MAX)] = Field(default=[])
    active: Truth | None = Field(default=None, description="Left out, it stays as it is.")
    preferred_language: Named = None


class ScimOperation(ScimInput):
    op: Annotated[
        Literal["add", "replace", "remove"],
        BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
    ]
    path: Annotated[Text, Field(max_length=1000)] | None = None
    value: Any = None


class ScimPatch(Update):
    """Changes in their order; all of them are made, or none."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "examples": [
                {
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                    "Operations": [{"op": "replace", "path": "active", "value": False}],
                }
            ]
        },
    )

    @model_validator(mode="before")
    @classmethod
    def _named_once(cls, given: Any) -> Any:  # noqa: ANN401 - any JSON value.
        refuse_twice(given)
        return given

    schemas: Uris = Field(default=[])
    operations: Annotated[list[ScimOperation], Field(min_length=1, max_length=OPERATIONS_MAX)] = (
        Field(validation_alias=AliasChoices("Operations", "operations"))
    )


class ScimMember(ScimInput):
    value: Annotated[Text, Field(max_length=64)]


class ScimGroupReplace(ScimInput):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "displayName": "clerk",
                    "members": [{"value": "0190b0a8-0000-7000-8000-000000000001"}],
                }
            ]
        }
    )

    schemas: Uris = Field(default=[])
    display_name: Named = None
    members: Annotated[list[ScimMember], Field(max_length=_MEMBERS_MAX)] = Field(default=[])


_Attributes = Annotated[str, Field(max_length=2000)]


class ScimShown(QueryModel):
    attributes: _Attributes | None = Field(
        default=None, description="Show these alone, with commas between them."
    )
    excluded_attributes: _Attributes | None = Field(
        default=None, alias="excludedAttributes", description="Show all but these."
    )


class ScimQuery(ScimShown):
    filter: Annotated[str, Field(min_length=1, max_length=FILTER_LENGTH_MAX)] | None = Field(
        default=None, description='As in `userName eq "ada@example.com"`; `and` joins several.'
    )
    start_index: int = Field(
        default=1, alias="startIndex", le=2_000_000_000, description="The first is 1."
    )
    count: int = Field(
        default=100, le=2_000_000_000, description=f"How many at most; never more than {PAGE_MAX}."
    )


_USER_SHOWN: dict[str, Any] = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
    "id": "01a21fcd-6950-746b-acc5-36ae34734381",
    "externalId": "8a2f6c1e",
    "userName": "ada@example.com",
    "name": {"formatted": "Ada Lovelace", "givenName": "Ada", "familyName": "Lovelace"},
    "displayName": "Ada Lovelace",
    "emails": [{"value": "ada@example.com", "type": "work", "primary": True}],
    "active": True,
    "preferredLanguage": "en",
    "groups": [],  # Each has a `$ref`, which tools would take for one of the document's own.
    "meta": {
        "resourceType": "User",
        "created": "2026-11-20T09:30:00Z",
        "lastModified": "2026-11-20T09:30:00Z",
        "location": "https://api.example.com/api/scim/v2/Users/01a21fcd-6950-746b-acc5-36ae34734381",
        "version": 'W/"1"',
    },
}
_GROUP_SHOWN: dict[str, Any] = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
    "id": "clerk",
    "displayName": "clerk",
    "members": [],
    "meta": {
        "resourceType": "Group",
        "location": "https://api.example.com/api/scim/v2/Groups/clerk",
    },
}
_LIST_SHOWN: dict[str, Any] = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
    "totalResults": 1,
    "startIndex": 1,
    "itemsPerPage": 1,
    "Resources": [_USER_SHOWN],
}


class _Shown(Output):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class ScimMeta(_Shown):
    resource_type: str
    created: datetime | None = None
    last_modified: datetime | None = None
    location: str
    version: str | None = None


class ScimNameRead(_Shown):
    formatted: str | None
    given_name: str | None
    family_name: str | None


class ScimEmailRead(_Shown):
    value: str
    type: str | None
    primary: bool | None


class ScimMembershipRead(_Shown):
    value: str
    ref: str = Field(alias="$ref")
    display: str | None = None
    type: str | None = None


class ScimUserRead(_Shown):
    """A user (RFC 7643, 4.1)."""

    model_config = ConfigDict(json_schema_extra={"examples": [_USER_SHOWN]})

    schemas: list[str]
    id: str
    external_id: str | None
    user_name: str | None
    name: ScimNameRead | None
    display_name: str | None
    emails: list[ScimEmailRead]
    active: bool
    preferred_language: str | None
    groups: list[ScimMembershipRead] = Field(description="The group of the user's role.")
    meta: ScimMeta


class ScimGroupRead(_Shown):
    """A role, as a group (RFC 7643, 4.2)."""

    model_config = ConfigDict(json_schema_extra={"examples": [_GROUP_SHOWN]})

    schemas: list[str]
    id: str
    display_name: str
    members: list[ScimMembershipRead] | None
    meta: ScimMeta


class ScimListRead(_Shown):
    """What was found (RFC 7644, 3.4.2)."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LIST_SHOWN]})

    schemas: list[str]
    total_results: int
    start_index: int
    items_per_page: int
    resources: list[dict[str, Any]] = Field(alias="Resources")


class DirectoryProfile(_Shown):
    """What is kept of an account as the directory gave it, under SCIM's names."""

    user_name: str
    external_id: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    formatted: str | None = None
    display_name: str | None = None
    preferred_language: str | None = None  # As given; its user has it where it is one of ours.
    emails: list[ScimEmailRead] = Field(default=[])
