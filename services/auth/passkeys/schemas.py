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
    options: dict[str, Any] = Field(
        description=(
            "For `PublicKeyCredential.parseCreationOptionsFromJSON` and "
            "`navigator.credentials.create`; good for five minutes, once."
        )
    )


class PasskeyRead(Output):
    id: UUID
    name: str | None = Field(description="Null only where it cannot be read.")
    created_at: datetime
    last_used_at: datetime | None


class PasskeysRead(Output):
    items: list[PasskeyRead]


class PasskeyAddedRead(Output):
    passkey: PasskeyRead
    recovery_codes: list[str] | None = Field(
        description="With the first second factor: each is good once. Shown this once."
    )


class PasskeyAddedSignedInRead(PasskeyAddedRead, SignedInRead):
    """The answer to an enrolment token: the sign-in is finished."""


class PasskeyAddedEnrollingRead(PasskeyAddedRead, EnrolmentRead):
    """The answer to an enrolment token when something is still to be done."""
