from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, SecretStr

from services.auth.sessions.schemas import Code, PasskeyAnswer
from services.auth.users.schemas import TenantSlug
from shared.schemas import Input, Output, ShortText, Text

_Url = Annotated[Text, Field(min_length=1, max_length=500)]
_Given = Annotated[Text, Field(min_length=1, max_length=4096)]


class IdentityProviderReplace(Input):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "issuer": "https://login.example.com",
                    "client_id": "stockwright",
                    "client_secret": "what the provider gave you",
                    "redirect_uri": "https://stock.example.com/signed-in",
                }
            ]
        }
    )

    issuer: _Url = Field(description="As its own document has it, without the well-known path.")
    client_id: ShortText
    client_secret: SecretStr = Field(min_length=1, max_length=1000)
    redirect_uri: _Url = Field(description="The page of your frontend that finishes the sign-in.")
    vouches_for_factor: bool = Field(
        default=False,
        description="Whether a second factor at the provider (`mfa` in its `amr`) counts here.",
    )


class IdentityProviderRead(Output):
    """The company's identity provider, without its secret."""

    issuer: str = Field(examples=["https://login.example.com"])
    client_id: str = Field(examples=["stockwright"])
    redirect_uri: str = Field(examples=["https://stock.example.com/signed-in"])
    vouches_for_factor: bool
    version: int
    changed_at: datetime


class ProvidedSignInStart(Input):
    model_config = ConfigDict(json_schema_extra={"examples": [{"tenant": "default"}]})

    tenant: TenantSlug | None = None
    fresh: bool = Field(
        default=False,
        description="Whether the provider is to ask anew who it is, as dangerous acts need.",
    )


class ProvidedSignInStarted(Output):
    """Where to send the browser, and what to keep until it returns."""

    authorization_url: str = Field(
        description="Send the browser there.",
        examples=["https://login.example.com/authorize?client_id=stockwright&…"],
    )
    binding: str = Field(
        description="Keep it in the browser's session; finishing needs it.", examples=["p6Zt…"]
    )
    expires_in: int = Field(description="Seconds until the sign-in must be finished.")


class ProvidedSignInFinish(Input):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"state": "os_AbCd", "binding": "xyz", "provider_code": "SplxlOBeZQQYbYS6"}
            ]
        }
    )

    state: _Given = Field(description="As the provider sent it to your page.")
    binding: _Given = Field(description="What the start of the sign-in gave.")
    provider_code: _Given | None = Field(
        default=None, description="The `code` that the provider sent; once is enough."
    )
    iss: _Url | None = Field(default=None, description="The `iss` that the provider sent, if any.")
    code: Code | None = None
    passkey: PasskeyAnswer | None = None
