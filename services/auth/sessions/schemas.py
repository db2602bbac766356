from typing import Literal

from pydantic import ConfigDict, Field, SecretStr

from services.auth.users.schemas import Email, Password, PasswordInput, TenantSlug, UserRead
from shared.schemas import Input, Output


class SignInCreate(PasswordInput):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "ada@example.com", "password": "nine unrelated words"}]
        }
    )

    email: Email
    password: Password
    tenant: TenantSlug | None = None


class RefreshCreate(Input):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"refresh_token": "the refresh_token of the last answer"}]}
    )

    refresh_token: SecretStr = Field(min_length=1, max_length=512)


class SignOut(Input):
    model_config = ConfigDict(json_schema_extra={"examples": [{"all": False}]})

    all: bool = Field(default=False, description="End every session of yours, on all devices.")


class TokensRead(Output):
    access_token: str
    refresh_token: str = Field(description="Use it once; each refresh gives the next one.")
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds until the access token ends.")


class SignedInRead(TokensRead):
    user: UserRead
