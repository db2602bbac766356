"""What auth journals of keys for machines, and what it gives the gateway for one."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from shared.journal import Entry


class AboutApiKey(Entry):
    subject_of: ClassVar[tuple[str, str]] = ("api-key", "key_id")
    key_id: UUID = Field(validation_alias=AliasChoices("key_id", "id"))  # `id` in the key's row.
    user_id: UUID


class ApiKeyAdded(AboutApiKey):
    name: ClassVar[str] = "auth.api-key-added.v1"
    scopes: tuple[str, ...]
    expires_at: datetime


class ApiKeyRevoked(AboutApiKey):
    name: ClassVar[str] = "auth.api-key-revoked.v1"


class ApiKeyTokenRead(BaseModel):
    """An access token for a key; its `sid` is the key's id, so that a revoked key is refused."""

    model_config = ConfigDict(frozen=True)

    access_token: str
    expires_in: int
