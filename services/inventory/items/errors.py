"""What is refused about items, and why."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self
from urllib.parse import quote

from shared.errors import Conflict, NotFound, Unprocessable
from shared.i18n import N_, NP_
from shared.identifiers import IdNeeded


@dataclass(eq=False)
class ItemNotFound(NotFound):
    """No item has this id, code or barcode. Search for it, or add it."""

    slug: ClassVar[str] = "item-not-found"
    title: ClassVar[str] = N_("Item not found")
    detail: ClassVar[str] = N_("There is no item {item}. Search for it, or have it added.")
    item: str


@dataclass(eq=False)
class ItemIdNeeded(IdNeeded):
    """The path takes the item's id; `look_up` finds it by its code or a barcode."""

    slug: ClassVar[str] = "item-id-needed"
    title: ClassVar[str] = N_("The item's id is needed here")
    detail: ClassVar[str] = N_(
        "This address takes the id of an item, a UUID, and {given} is none. Find the id by the "
        "item's code first: GET {look_up}."
    )
    look_up: str

    @classmethod
    def of(cls, parameter: str, given: str) -> Self:
        """Return the problem, with the address that finds the item by this as its code."""
        look_up = f"/api/inventory/lookup?code={quote(given, safe='')}"
        return cls(parameter=parameter, given=given, look_up=look_up)


@dataclass(eq=False)
class ItemRetired(Conflict):
    """A retired item does not move. Bring it back with `active: true` first."""

    slug: ClassVar[str] = "item-retired"
    title: ClassVar[str] = N_("Item retired")
    detail: ClassVar[str] = N_(
        "The item {item} is retired and cannot be moved. Bring it back with active: true first."
    )
    item: str


@dataclass(eq=False)
class ItemCodeTaken(Conflict):
    """The code already names another item, as its code or barcode. Choose another code."""

    slug: ClassVar[str] = "item-code-taken"
    title: ClassVar[str] = N_("Code already used")
    detail: ClassVar[str] = N_("{asked} already names the item {item}. Choose another code.")
    asked: str
    item: str


@dataclass(eq=False)
class BarcodeTaken(Conflict):
    """A barcode already names another item, as its code or barcode. Take it from that one first."""

    slug: ClassVar[str] = "barcode-taken"
    title: ClassVar[str] = N_("Barcode already used")
    detail: ClassVar[str] = N_(
        "The barcode {barcode} already names the item {item}. Take it from that one first."
    )
    barcode: str
    item: str


@dataclass(eq=False)
class ItemInStock(Conflict):
    """An item with stock is not retired. Issue or write off what remains first."""

    slug: ClassVar[str] = "item-in-stock"
    title: ClassVar[str] = N_("Item still in stock")
    detail: ClassVar[tuple[str, str]] = NP_(
        "{on_hand} unit remains. Move it out before retiring the item.",
        "{on_hand} units remain. Move them out before retiring the item.",
    )
    counted: ClassVar[str] = "on_hand"
    on_hand: Decimal


@dataclass(eq=False)
class ItemInKits(Conflict):
    """Kits in use are made of the item: `kits`, a hundred at most. Make them of others first."""

    slug: ClassVar[str] = "item-in-kits"
    title: ClassVar[str] = N_("Item in kits")
    detail: ClassVar[str] = N_(
        "{item} is a component of kits. Take it out of these first, or retire them."
    )
    item: str
    kits: list[str]  # Their codes.


@dataclass(eq=False)
class ItemUnitInUse(Conflict):
    """Quantities were counted in the unit. Add another item, or keep the unit."""

    slug: ClassVar[str] = "item-unit-in-use"
    title: ClassVar[str] = N_("Unit in use")
    detail: ClassVar[str] = N_(
        "{item} has a history in the unit {unit}, which cannot change. Add another item for "
        "another unit."
    )
    item: str
    unit: str


@dataclass(eq=False)
class ItemTrackingInUse(Conflict):
    """What was recorded otherwise stays so. Add another item, or keep the tracking."""

    slug: ClassVar[str] = "item-tracking-in-use"
    title: ClassVar[str] = N_("Tracking in use")
    detail: ClassVar[str] = N_(
        "{item} has a history with the tracking {tracking}, which cannot change. Add another item "
        "for another tracking."
    )
    item: str
    tracking: str


@dataclass(eq=False)
class UnknownUnit(Unprocessable):
    """The item has no such unit. Name one of its units, or add it to its packs."""

    slug: ClassVar[str] = "unknown-unit"
    title: ClassVar[str] = N_("Unknown unit")
    detail: ClassVar[str] = N_(
        "{item} has no unit {unit}. Name one of {units}, or add this one to its packs."
    )
    item: str
    unit: str
    units: list[str]


@dataclass(eq=False)
class PackIsStockUnit(Unprocessable):
    """A pack is called as the unit of stock. Give the pack another name."""

    slug: ClassVar[str] = "pack-is-stock-unit"
    title: ClassVar[str] = N_("Pack called as the stock unit")
    detail: ClassVar[str] = N_(
        "{unit} is what {item} is counted in, and no pack of it. Give the pack another name."
    )
    item: str
    unit: str


@dataclass(eq=False)
class PackSizeContradicts(Unprocessable):
    """`pack_size` is not what `packs` says of the pack to order in. Leave `pack_size` out."""

    slug: ClassVar[str] = "pack-size-contradicts"
    title: ClassVar[str] = N_("Two sizes of one pack")
    detail: ClassVar[str] = N_(
        "The pack_size of {pack_size} is not the {holds} that packs says. Leave pack_size out."
    )
    pack_unit: str
    holds: Decimal
    pack_size: Decimal


@dataclass(eq=False)
class BarcodeOnTwoUnits(Unprocessable):
    """A barcode, in one form or another, is said to be on two units. Name it on one of them."""

    slug: ClassVar[str] = "barcode-on-two-units"
    title: ClassVar[str] = N_("Barcode on two units")
    detail: ClassVar[str] = N_(
        "The barcode {barcode} is named on two units of {item}. Name it once, on the unit that it "
        "is printed on."
    )
    barcode: str
    item: str


@dataclass(eq=False)
class PackBarcodeIsCode(Conflict):
    """A pack's barcode is the item's own code, which means one stock unit. Leave it out."""

    slug: ClassVar[str] = "pack-barcode-is-code"
    title: ClassVar[str] = N_("Barcode is the code")
    detail: ClassVar[str] = N_(
        "{barcode} is the code of the item itself, which stands for its stock unit. Leave the "
        "barcode out, or change the code."
    )
    barcode: str
