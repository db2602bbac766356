from uuid import UUID

from pydantic import Field

from shared.schemas import Input


class DenialCreate(Input):
    """Whom the gateway refused, by which request, and what he lacked."""

    tenant_id: UUID
    actor: str = Field(pattern=r"^(user|key):[0-9a-f-]{36}$")
    request_id: str = Field(min_length=1, max_length=64)
    route: str = Field(min_length=1, max_length=200, examples=["GET /api/audit"])
    needed: str = Field(min_length=1, max_length=64, examples=["audit:read"])
