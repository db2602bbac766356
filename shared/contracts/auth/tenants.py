"""What auth journals of tenants."""

from typing import ClassVar
from uuid import UUID

from shared.journal import Entry

DEFAULT_TENANT_ID = UUID("00000000-0000-7000-8000-000000000001")
DEFAULT_TENANT_SLUG = "default"


class TenantCreated(Entry):
    """The first entry of a tenant's own journal."""

    name: ClassVar[str] = "auth.tenant-created.v1"
    tenant_id: UUID
    slug: str
    title: str  # The tenant's name.
    language: str
    currency: str  # ISO 4217.

    @property
    def subject(self) -> str:
        return f"tenant:{self.tenant_id}"


class TenantProvisioned(Entry):
    """A platform administrator made another tenant; in the journal of the default tenant."""

    name: ClassVar[str] = "auth.tenant-provisioned.v1"
    tenant_id: UUID
    slug: str

    @property
    def subject(self) -> str:
        return f"tenant:{self.tenant_id}"
