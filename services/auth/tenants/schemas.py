from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from services.auth.tenants.rules import (
    SLUG_PATTERN,
    Registration,
    is_known_country,
    is_known_currency,
    is_known_time_zone,
)
from services.auth.users.rules import Language
from services.auth.users.schemas import Email, Password, PasswordInput
from shared.i18n import N_
from shared.schemas import Output, Page, ShortText, Update


def _known(code: str) -> str:
    if not is_known_currency(code):
        raise PydanticCustomError(
            "currency", N_("Give a currency code of ISO 4217 in capital letters, such as EUR.")
        )
    return code


def _country(code: str) -> str:
    if not is_known_country(code):
        raise PydanticCustomError(
            "country", N_("Give a country code of ISO 3166 in capital letters, such as FR.")
        )
    return code


def _time_zone(name: str) -> str:
    if not is_known_time_zone(name):
        raise PydanticCustomError("time_zone", N_("Give a time zone by its name, as Europe/Paris."))
    return name


Country = Annotated[
    str,
    Field(min_length=2, max_length=2, description="ISO 3166-1, two letters.", examples=["FR"]),
    AfterValidator(_country),
]
TimeZone = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        description="A name of the IANA time zone database.",
        examples=["Europe/Paris"],
    ),
    AfterValidator(_time_zone),
]
Currency = Annotated[str, Field(min_length=3, max_length=3), AfterValidator(_known)]
Slug = Annotated[
    str, Field(pattern=SLUG_PATTERN, max_length=63, description="Short name, used to sign in.")
]


class TenantCreate(PasswordInput):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Second shop",
                    "slug": "second-shop",
                    "admin_email": "ada@example.com",
                    "admin_password": "nine unrelated words",
                }
            ]
        }
    )

    name: ShortText
    slug: Slug
    admin_email: Email = Field(description="Of the tenant's first administrator.")
    admin_password: Password
    admin_password_change_required: bool = Field(
        default=True, description="Whether another one must be chosen at the first sign-in."
    )
    language: Language | None = Field(
        default=None, description="Of members who set none; left out, this installation's default."
    )
    currency: Currency = Field(default="USD", description="ISO 4217; it cannot be changed later.")
    country: Country | None = None
    time_zone: TimeZone = "UTC"
    registration: Registration = Field(
        default="invite",
        description="Who registers gets in once verified (`open`), once approved too, or never.",
    )


class TenantUpdate(Update):
    """Fields left out stay as they are; `null` clears the country."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"time_zone": "Europe/Paris"}]})

    clearable: ClassVar[frozenset[str]] = frozenset({"country"})

    name: ShortText | None = None
    language: Language | None = Field(default=None, description="Of members who set none.")
    country: Country | None = None
    time_zone: TimeZone | None = None
    currency: Currency | None = Field(
        default=None, description="The present one is taken, any other refused."
    )
    registration: Registration | None = None
    two_factor_required: bool | None = Field(
        default=None, description="Of everybody; administrators must have a second factor anyway."
    )


class TenantRead(Output):
    """A company that uses the system."""

    id: UUID
    slug: str = Field(examples=["second-shop"])
    name: str = Field(examples=["Second shop"])
    language: Language
    currency: str
    country: str | None
    time_zone: str
    registration: Registration
    two_factor_required: bool
    version: int = Field(description="Grows with every change; the first part of the ETag.")
    created_at: datetime


class TenantPage(Page[TenantRead]): ...
