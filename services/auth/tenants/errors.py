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
class CurrencyFixed(Conflict):
    """All amounts are in the currency that the tenant was made with."""

    slug: ClassVar[str] = "currency-fixed"
    title: ClassVar[str] = N_("Currency cannot be changed")
    detail: ClassVar[str] = N_(
        "All amounts are in {currency}: another currency would relabel them, not convert them. "
        "Leave it out, or use a tenant that was made with the other one."
    )
    currency: str


@dataclass(eq=False)
class TenantSlugTaken(Conflict):
    slug: ClassVar[str] = "tenant-slug-taken"
    title: ClassVar[str] = N_("Tenant name taken")
    detail: ClassVar[str] = N_(
        "There is already a tenant with this short name. Choose another one."
    )
