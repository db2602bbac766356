"""The units of an item, after what a body says of them."""

from collections.abc import Iterable
from decimal import Decimal

from services.inventory.items.errors import PackIsStockUnit, PackSizeContradicts, UnknownUnit
from services.inventory.items.models import Item
from services.inventory.items.rules import (
    PACKS_MAX,
    Label,
    Pack,
    Units,
    barcodes_of,
    read_packs,
    stored_packs,
)
from services.inventory.items.schemas import ItemCreate, ItemUpdate
from shared.contracts.inventory.items import PackSaved
from shared.identifiers import identifier_key

UNIT_FIELDS = frozenset({"unit", "packs", "pack_unit", "pack_size"})


def units_of(item: Item) -> Units:
    """Return the units of an item."""
    return Units(item.unit, read_packs(item.packs), item.pack_unit, item.pack_size)


def new_units(wanted: ItemCreate) -> Units:
    """Return the units of an item that is what the body says.

    Raises PackIsStockUnit, UnknownUnit, PackSizeContradicts.
    """
    return _after(Units(wanted.unit, (), None, Decimal(1)), wanted, wanted.code)


def changed_units(item: Item, wanted: ItemUpdate) -> Units:
    """Return the units of an item after a change.

    Raises PackIsStockUnit, UnknownUnit, PackSizeContradicts.
    """
    return _after(units_of(item), wanted, item.code)


def set_units(item: Item, units: Units) -> None:
    """Write the units down in the item."""
    item.unit, item.packs = units.unit, stored_packs(units.packs)
    item.pack_unit, item.pack_size = units.pack_unit, units.pack_size


def packs_saved(units: Units, labels: Iterable[Label]) -> list[PackSaved]:
    """Return the packs as the journal tells them, with their barcodes in order."""
    named = list(labels)
    return [
        PackSaved(
            unit=pack.unit,
            quantity=pack.quantity,
            barcodes=barcodes_of(n for n in named if n.unit == identifier_key(pack.unit)),
        )
        for pack in units.packs
    ]


def _after(before: Units, wanted: ItemCreate | ItemUpdate, code: str) -> Units:
    given = wanted.model_fields_set
    packs = before.packs
    if wanted.packs is not None and "packs" in given:
        packs = tuple(Pack(pack.unit, pack.quantity) for pack in wanted.packs)
    pack_unit = wanted.pack_unit if "pack_unit" in given else before.pack_unit
    pack_size = wanted.pack_size if "pack_size" in given else None
    units = Units(wanted.unit or before.unit, packs, before.pack_unit, before.pack_size)
    stock_unit = identifier_key(units.unit)
    for pack in packs:
        if identifier_key(pack.unit) == stock_unit:
            raise PackIsStockUnit(item=code, unit=pack.unit)
    if pack_unit is not None and identifier_key(pack_unit) != stock_unit:
        known = units.find(pack_unit)
        if known is None and ("packs" in given or len(packs) >= PACKS_MAX):
            raise UnknownUnit(item=code, unit=pack_unit, units=units.names)
        if known and "packs" in given and pack_size not in {None, known.quantity}:
            raise PackSizeContradicts(
                pack_unit=pack_unit, holds=known.quantity, pack_size=pack_size or Decimal(0)
            )
    return units.ordered_in(pack_unit, pack_size)
