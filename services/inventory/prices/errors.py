from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Forbidden
from shared.i18n import N_


@dataclass(eq=False)
class PriceForbidden(Forbidden):
    slug: ClassVar[str] = "price-forbidden"
    title: ClassVar[str] = N_("Not allowed to set prices")
    detail: ClassVar[str] = N_(
        "Setting a cost or price needs the scope price:write. Leave both out, or ask an "
        "administrator for a role with it."
    )
