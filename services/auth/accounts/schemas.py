from uuid import UUID

from pydantic import Field

from services.auth.users.schemas import Email, Language, Password, UserRead
from shared.schemas import Input, Line, Output


class RegistrationCreate(Input):
    email: Email
    password: Password
    name: Line | None = None
    language: Language | None = None
    tenant: str | None = Field(
        default=None, max_length=63, description="Short name of the tenant; `default` otherwise."
    )


class TenantOfAccount(Output):
    id: UUID
    slug: str
    name: str
    language: Language
    currency: str


class AccountRead(UserRead):
    """One's own account, with what a frontend needs to know of its tenant."""

    tenant: TenantOfAccount
