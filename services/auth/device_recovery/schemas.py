from datetime import datetime
from uuid import UUID

from pydantic import Field

from shared.schemas import Output


class FactorRecoveryRead(Output):
    """A request to remove a lost second factor, which a second administrator approves."""

    id: UUID
    user_id: UUID = Field(description="Who lost the second factor.")
    requested_by: UUID = Field(description="The administrator who asked, and cannot approve.")
    requested_at: datetime
    expires_at: datetime = Field(description="Until when another administrator may approve.")
