from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import ConfigDict, Field

from services.auth.sessions.schemas import EnrolmentRead, PasskeyAnswer, SignedInRead
from shared.schemas import Input, Output, ShortText, Update

PasskeyName = Annotated[
    ShortText,
    Field(max_length=100, description="What you call it.", examples=["My phone"]),
]


class PasskeyCreate(Input):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "My phone", "credential": '{"id": "…"}'}]}
    )

    name: PasskeyName
    credential: PasskeyAnswer


class PasskeyUpdate(Update):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "My old phone"}]})

    clearable: ClassVar[frozenset[str]] = frozenset()

    name: PasskeyName | None = None


class PasskeyOptionsRead(Output):
    """What the browser needs to make a passkey."""

    options: dict[str, Any] = Field(
        description=(
            "For `PublicKeyCredential.parseCreationOptionsFromJSON` and "
            "`navigator.credentials.create`; good for five minutes, once."
        ),
        examples=[{"challenge": "mZ0c…", "rp": {"name": "Stockwright"}}],
    )


class PasskeyRead(Output):
    """A passkey of the account."""

    id: UUID
    name: str | None = Field(description="Null only where it cannot be read.", examples=["Phone"])
    created_at: datetime
    last_used_at: datetime | None


class PasskeysRead(Output):
    """The passkeys of the account."""

    items: list[PasskeyRead]


class PasskeyAddedRead(Output):
    """The new passkey."""

    passkey: PasskeyRead
    recovery_codes: list[str] | None = Field(
        description="With the first second factor: each is good once. Shown this once.",
        examples=[["P43EIX-MPQK23-HHKZSU-RADLTI"]],
    )


class PasskeyAddedSignedInRead(PasskeyAddedRead, SignedInRead):
    """The answer to an enrolment token: the sign-in is finished."""


class PasskeyAddedEnrollingRead(PasskeyAddedRead, EnrolmentRead):
    """The answer to an enrolment token when something is still to be done."""
