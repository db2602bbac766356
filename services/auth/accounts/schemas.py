from uuid import UUID

from pydantic import ConfigDict

from services.auth.users.rules import Language
from services.auth.users.schemas import Email, Password, PasswordInput, TenantSlug, UserRead
from shared.schemas import Output, ShortText


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


class TenantOfAccount(Output):
    id: UUID
    slug: str
    name: str
    language: Language
    currency: str


class AccountRead(UserRead):
    """One's own account, with what a frontend needs to know of its tenant."""

    tenant: TenantOfAccount
