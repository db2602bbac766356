"""What is refused of tenants."""

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Conflict, NotFound
from shared.i18n import N_


@dataclass(eq=False)
class TenantNotFound(NotFound):
    slug: ClassVar[str] = "tenant-not-found"
    title: ClassVar[str] = N_("Tenant not found")
    detail: ClassVar[str] = N_("There is no such tenant. Check its short name.")


@dataclass(eq=False)
class TenantSlugTaken(Conflict):
    slug: ClassVar[str] = "tenant-slug-taken"
    title: ClassVar[str] = N_("Tenant name taken")
    detail: ClassVar[str] = N_(
        "There is already a tenant with this short name. Choose another one."
    )
