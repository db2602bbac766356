from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, SecretStr

from services.auth.users.rules import Language, Role
from services.auth.users.schemas import (
    Email,
    Locations,
    Password,
    PasswordInput,
    TenantSlug,
    UserRead,
)
from shared.contracts.auth.users import DeactivationReason
from shared.schemas import Input, Output, ShortText

MailedToken = Annotated[
    SecretStr,
    Field(min_length=1, max_length=512, description="From the mail.", examples=["ot_AbCd…"]),
]


class RegistrationCreate(PasswordInput):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "ada@example.com", "password": "nine unrelated words"}]
        }
    )

    email: Email
    password: Password
    name: ShortText | None = None
    language: Language | None = None
    tenant: TenantSlug | None = None


class AddressInput(Input):
    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ada@example.com"}]})

    email: Email
    tenant: TenantSlug | None = None


class AskedRead(Output):
    """The same whether there is such an account or not."""

    accepted: bool


class TokenInput(Input):
    token: MailedToken


class PasswordReset(PasswordInput):
    token: MailedToken
    new_password: Password


class InvitationAccept(PasswordInput):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"token": "ot_AbCd…", "password": "nine unrelated words"}]}
    )

    token: MailedToken
    password: Password
    name: ShortText | None = None
    language: Language | None = None


class InvitationCreate(Input):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "ada@example.com", "role": "clerk"}]}
    )

    email: Email
    role: Role
    name: ShortText | None = None
    language: Language | None = None
    locations: Locations = None


class InvitationRead(Output):
    """The user who is invited, and until when the invitation can be accepted."""

    user: UserRead
    expires_at: datetime


class EmailChange(Input):
    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ada@example.org"}]})

    email: Email


class UserDeactivation(Input):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "left"}]})

    reason: DeactivationReason = Field(
        description="Why, for the audit trail; `directory`: another system said so."
    )


class TenantOfAccount(Output):
    id: UUID
    slug: str = Field(examples=["second-shop"])
    name: str = Field(examples=["Second shop"])
    language: Language
    currency: str
    country: str | None
    time_zone: str


class AccountRead(UserRead):
    """One's own account, with what a frontend needs to know of its tenant."""

    tenant: TenantOfAccount
