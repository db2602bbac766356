from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError

from services.auth.users.rules import (
    EMAIL_LENGTH_MAX,
    LOCATIONS_MAX,
    Language,
    Role,
    SealedField,
    Status,
    is_email,
)
from shared.i18n import N_
from shared.pagination import PageQuery
from shared.schemas import Input, Output, Page, ShortText, Text, Update, unreadable_field

PASSWORD_FIELD_LENGTH_MAX = 512  # Before normalisation; the rule itself is in passwords.rules.


def _checked(text: str) -> str:
    if not is_email(text):
        raise PydanticCustomError("email", N_("Give an e-mail address."))
    return text


def _writable(password: SecretStr) -> SecretStr:
    try:
        password.get_secret_value().encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", N_("The text is not valid Unicode.")) from None
    return password


Email = Annotated[
    Text,
    Field(min_length=3, max_length=EMAIL_LENGTH_MAX, examples=["ada@example.com"]),
    AfterValidator(_checked),
]
Password = Annotated[
    SecretStr,
    Field(
        min_length=1,
        max_length=PASSWORD_FIELD_LENGTH_MAX,
        description="Any characters; taken exactly as given, in Unicode form NFC.",
        examples=["nine unrelated words"],
    ),
    AfterValidator(_writable),
]


def _not_empty(locations: list[UUID]) -> list[UUID]:
    if not locations:
        raise PydanticCustomError(
            "no_locations",
            N_("Give at least one location; for all of them leave this out, or give null."),
        )
    return locations


Locations = Annotated[
    Annotated[list[UUID], Field(max_length=LOCATIONS_MAX), AfterValidator(_not_empty)] | None,
    Field(
        description="Ids of the locations that the user is limited to, with all that lies in them; "
        "null for all. What is no location of yours (see `GET /api/locations`) gives nothing. Not "
        "for administrators.",
        examples=[["0190b0a8-7c3e-7a53-9d3c-2f6b8f0f4a11"]],
    ),
]
TenantSlug = Annotated[
    Text, Field(max_length=63, description="Short name of the tenant; `default` otherwise.")
]


class PasswordInput(Input):
    """A body with a password, which is taken exactly: only types that say so trim their text."""

    model_config = ConfigDict(str_strip_whitespace=False)


class UserCreate(PasswordInput):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"email": "ada@example.com", "password": "nine unrelated words", "role": "clerk"}
            ]
        }
    )

    email: Email
    password: Password
    role: Role
    name: ShortText | None = None
    language: Language | None = None
    locations: Locations = None
    password_change_required: bool = Field(
        default=True, description="Whether the user must choose another one at the first sign-in."
    )


class ProfileUpdate(Update):
    """Fields left out stay as they are; `null` clears."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"language": "fr"}]})

    clearable: ClassVar[frozenset[str]] = frozenset({"name", "language"})

    name: ShortText | None = None
    language: Language | None = None


class UserUpdate(ProfileUpdate):
    """The same of another user, his locations, and his role, which he cannot be without."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "manager"}]})

    clearable: ClassVar[frozenset[str]] = ProfileUpdate.clearable | {"locations"}

    role: Role | None = None
    locations: Locations = None


class UserQuery(PageQuery):
    role: Role | None = Field(default=None, description="With this role only.")
    locked: bool | None = Field(default=None, description="Only who is locked, or only who is not.")
    status: Status | None = Field(default=None, description="In this state only.")


class UserRead(Output):
    """A user of the tenant."""

    id: UUID
    email: str | None = Field(
        description="Null only where it cannot be read, or the person was erased."
    )
    name: str | None = Field(examples=["Ada Lovelace"])
    role: Role
    scopes: list[str] = Field(examples=[["inventory:read", "stock:write"]])
    locations: list[UUID] | None = Field(description="Limited to these; null: not limited.")
    language: Language | None
    locked: bool
    status: Status
    version: int = Field(description="Grows with every change; the first part of the ETag.")
    created_at: datetime
    erased_at: datetime | None = Field(
        description="When all that tells who it was was erased; `name` says so then.",
        examples=[None],
    )
    unreadable: list[SealedField] = unreadable_field()


class UserPage(Page[UserRead]): ...
