from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from services.auth.tenants.rules import SLUG_PATTERN, Registration, is_known_currency
from services.auth.users.rules import Language
from services.auth.users.schemas import Email, Password, PasswordInput
from shared.i18n import N_
from shared.schemas import Output, Page, ShortText


def _known(code: str) -> str:
    if not is_known_currency(code):
        raise PydanticCustomError("currency", N_("Give a currency code of ISO 4217, as EUR."))
    return code


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
    currency: Currency = "USD"
    registration: Registration = Field(
        default="invite",
        description="Who registers gets in once verified (`open`), once approved too, or never.",
    )


class TenantRead(Output):
    id: UUID
    slug: str
    name: str
    language: Language
    currency: str
    registration: Registration
    created_at: datetime


class TenantPage(Page[TenantRead]): ...
