from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.auth.limits.rules import REQUESTS_PER_MINUTE_MAX
from shared.schemas import Input, Output

RequestsPerMinute = Annotated[int, Field(ge=1, le=REQUESTS_PER_MINUTE_MAX)]


class TenantLimitsUpdate(Input):
    requests_per_minute: RequestsPerMinute | None = Field(
        examples=[6000],
        description="Of all the tenant's users together; null for this installation's own limit.",
    )


class TenantLimitsRead(Output):
    """What a tenant may ask for in a minute; null: what this installation sets."""

    tenant_id: UUID
    requests_per_minute: int | None
