from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, SecretStr

from services.auth.users.rules import Scope
from shared.schemas import Input, Moment, Output, ShortText


class ApiKeyCreate(Input):
    name: ShortText = Field(examples=["Till at the front desk"])
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=20)] = Field(
        examples=[["inventory:read", "stock:write"]]
    )
    expires_at: Moment | None = Field(
        default=None,
        description="Within a year; left out, 90 days from now.",
        examples=["2027-01-31T00:00:00Z"],
    )


class ApiKeyRead(Output):
    """A key for a machine, without its text."""

    id: UUID
    name: str = Field(examples=["Till at the front desk"])
    scopes: list[str] = Field(examples=[["inventory:read", "stock:write"]])
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = Field(description="To within fifteen minutes.")


class ApiKeyAddedRead(ApiKeyRead):
    """A new key, with its text."""

    key: str = Field(
        description="Send it as a bearer token. Shown this once.", examples=["ik_Qm9yZGVy…"]
    )


class ApiKeysRead(Output):
    """Keys that still work."""

    items: list[ApiKeyRead]


class ApiKeyExchange(Input):
    key: SecretStr = Field(min_length=1, max_length=512)
