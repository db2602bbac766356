from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Entry(BaseModel):
    """Something that happened, in the past tense: what a service promises to write when it does.

    `name` ends in its version. Fields may be added freely; to rename or remove one, a `.v2`
    stands beside the `.v1`. Sensitive values are sealed before they get here.
    """

    model_config = ConfigDict(frozen=True, from_attributes=True)

    name: ClassVar[str]

    @property
    def subject(self) -> str:
        """Return what it happened to, as `kind:id`."""
        raise NotImplementedError


class JournalEntry(BaseModel):
    """An entry as the feed gives it to followers."""

    model_config = ConfigDict(frozen=True)

    xid: int
    seq: int
    id: UUID
    tenant_id: UUID
    recorded_at: datetime
    actor: str
    request_id: str
    type: str
    subject: str
    data: dict[str, Any]
