"""What auth journals of tenants."""

from typing import ClassVar
from uuid import UUID

from pydantic import AliasChoices, Field

from shared.journal import Entry

DEFAULT_TENANT_ID = UUID("00000000-0000-7000-8000-000000000001")
DEFAULT_TENANT_SLUG = "default"


class AboutTenant(Entry):
    subject_of: ClassVar[tuple[str, str]] = ("tenant", "tenant_id")
    tenant_id: UUID = Field(validation_alias=AliasChoices("tenant_id", "id"))  # `id` in its row.
    slug: str


class TenantCreated(AboutTenant):
    """The first entry of a tenant's own journal."""

    name: ClassVar[str] = "auth.tenant-created.v1"
    title: str = Field(validation_alias=AliasChoices("title", "name"))  # `name` in its row.
    language: str
    currency: str  # ISO 4217.
    country: str | None = None  # ISO 3166-1, two letters.
    time_zone: str = "UTC"  # IANA.


class TenantChanged(AboutTenant):
    """What an administrator set: `before` and `after` hold the fields that changed.

    Their names are those of TenantCreated, `registration` and `two_factor_required`. The
    currency never changes.
    """

    name: ClassVar[str] = "auth.tenant-changed.v1"
    before: dict[str, str | bool | None]
    after: dict[str, str | bool | None]


class TenantProvisioned(AboutTenant):
    """A platform administrator made another tenant; in the journal of the default tenant."""

    name: ClassVar[str] = "auth.tenant-provisioned.v1"


class TenantLimitsSet(AboutTenant):
    """A platform administrator set a tenant's limit; in the journal of the default tenant."""

    name: ClassVar[str] = "auth.tenant-limits-set.v1"
    requests_per_minute: int | None  # None: that of the installation.
