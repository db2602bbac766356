"""What inventory refuses, and why."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from shared.errors import Conflict, Forbidden, NotFound, Unprocessable
from shared.i18n import N_


@dataclass(eq=False)
class ItemNotFound(NotFound):
    slug: ClassVar[str] = "item-not-found"
    title: ClassVar[str] = N_("Item not found")
    detail: ClassVar[str] = N_("There is no item {item}.")
    item: str


@dataclass(eq=False)
class ItemRetired(Conflict):
    slug: ClassVar[str] = "item-retired"
    title: ClassVar[str] = N_("Item retired")
    detail: ClassVar[str] = N_("The item {item} is retired and cannot be moved.")
    item: str


@dataclass(eq=False)
class ItemCodeTaken(Conflict):
    slug: ClassVar[str] = "item-code-taken"
    title: ClassVar[str] = N_("Code already used")
    detail: ClassVar[str] = N_("Another item has the code {item}.")
    item: str


@dataclass(eq=False)
class BarcodeTaken(Conflict):
    slug: ClassVar[str] = "barcode-taken"
    title: ClassVar[str] = N_("Barcode already used")
    detail: ClassVar[str] = N_("One of the barcodes belongs to another item.")


@dataclass(eq=False)
class ItemInStock(Conflict):
    slug: ClassVar[str] = "item-in-stock"
    title: ClassVar[str] = N_("Item still in stock")
    detail: ClassVar[str] = N_("{on_hand} units remain. Move them out before retiring the item.")
    on_hand: Decimal


@dataclass(eq=False)
class LocationNotFound(NotFound):
    slug: ClassVar[str] = "location-not-found"
    title: ClassVar[str] = N_("Location not found")
    detail: ClassVar[str] = N_("There is no location {location}.")
    location: str


@dataclass(eq=False)
class LocationNameTaken(Conflict):
    slug: ClassVar[str] = "location-name-taken"
    title: ClassVar[str] = N_("Name already used")
    detail: ClassVar[str] = N_("Another location is called {location}.")
    location: str


@dataclass(eq=False)
class LocationInUse(Conflict):
    slug: ClassVar[str] = "location-in-use"
    title: ClassVar[str] = N_("Location in use")
    detail: ClassVar[str] = N_("The location holds stock, a history of it, or other locations.")


@dataclass(eq=False)
class LocationMisplaced(Unprocessable):
    slug: ClassVar[str] = "location-misplaced"
    title: ClassVar[str] = N_("Does not fit there")
    detail: ClassVar[str] = N_(
        "A zone lies in a warehouse, a bin in a zone or warehouse, a warehouse in nothing."
    )


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
