from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, SecretStr

from services.auth.users.schemas import Email, Password, PasswordInput, TenantSlug, UserRead
from shared.schemas import Input, Output, Text

Code = Annotated[
    Text,
    Field(
        min_length=6,
        max_length=40,
        description="Six digits of the authenticator, or a recovery code.",
        examples=["492039"],
    ),
]


PasskeyAnswer = Annotated[
    str,
    Field(
        min_length=2,
        max_length=8192,
        description=(
            "`JSON.stringify` of what `navigator.credentials` gave for the options that you got."
        ),
    ),
]


class ProofInput(PasswordInput):
    """Password and, where the account has a second factor, a code or a passkey's answer."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"password": "nine unrelated words", "code": "492039"}]}
    )

    password: Password
    code: Code | None = None
    passkey: PasskeyAnswer | None = None


class SignInCreate(ProofInput):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "ada@example.com", "password": "nine unrelated words"}]
        }
    )

    email: Email
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
    """New tokens; the ones before are over."""

    access_token: str
    refresh_token: str = Field(description="Use it once; each refresh gives the next one.")
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds until the access token ends.")


class SignedInRead(TokensRead):
    """The sign-in is finished: its tokens, and whose they are."""

    user: UserRead


class SessionRead(Output):
    id: UUID
    current: bool = Field(description="Whether it is the one that asks.")
    address: str = Field(
        description="From where it was last used; empty if not known.", examples=["203.0.113.7"]
    )
    user_agent: str = Field(
        description="What the program called itself that used it last.",
        examples=["Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0"],
    )
    methods: list[str] = Field(
        description="How its user proved who it is, as in `amr`.", examples=[["pwd", "otp"]]
    )
    started_at: datetime
    last_seen_at: datetime = Field(description="When it was last refreshed.")
    expires_at: datetime


class SessionsRead(Output):
    """The sessions that go on."""

    items: list[SessionRead]


class EnrolmentRead(Output):
    """What a sign-in gives while something must be done before it is finished."""

    enrolment_required: bool = Field(description="Set a second factor up: /api/auth/2fa/setup.")
    password_change_required: bool = Field(
        description="Choose a password of your own: /api/auth/change-password."
    )
    enrolment_token: str = Field(description="A bearer token for these routes, and no others.")
    expires_in: int = Field(description="Seconds until the enrolment token ends.")
    user: UserRead


class AccessRead(Output):
    """An access token of a session that goes on; its refresh token stays the one due."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds until the access token ends.")
