"""What inventory refuses, and why."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from shared.errors import Conflict, Forbidden, Unprocessable
from shared.i18n import N_


@dataclass(eq=False)
class InsufficientStock(Conflict):
    """The place has fewer available units than the movement takes."""

    slug: ClassVar[str] = "insufficient-stock"
    title: ClassVar[str] = N_("Not enough stock")
    detail: ClassVar[str] = N_("{available} of {item} available at {location}, {requested} asked.")
    item: str
    location: str
    available: Decimal
    requested: Decimal


@dataclass(eq=False)
class MovementInFuture(Unprocessable):
    slug: ClassVar[str] = "movement-in-future"
    title: ClassVar[str] = N_("Time in the future")
    detail: ClassVar[str] = N_("A movement cannot have happened later than now.")


@dataclass(eq=False)
class PriceForbidden(Forbidden):
    slug: ClassVar[str] = "price-forbidden"
    title: ClassVar[str] = N_("Not allowed to set prices")
    detail: ClassVar[str] = N_("Setting a cost or price needs the scope price:write.")


@dataclass(eq=False)
class BulkRefused(Conflict):
    """An atomic call had lines that cannot be applied; nothing was changed."""

    slug: ClassVar[str] = "bulk-refused"
    title: ClassVar[str] = N_("Nothing was applied")
    detail: ClassVar[str] = N_("{refused} lines cannot be applied. The results name each.")
    refused: int
    results: list[dict[str, object]]
