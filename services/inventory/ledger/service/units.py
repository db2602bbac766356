"""Quantities that were given in a unit of an item."""

from decimal import Decimal

from services.inventory.items.errors import UnknownUnit
from services.inventory.items.models import Item
from services.inventory.items.rules import exact_product
from services.inventory.items.service import units_of
from services.inventory.ledger.errors import QuantityInexact


def in_stock_units(
    item: Item, quantity: Decimal, unit: str | None, *, holds: Decimal | None = None
) -> Decimal:
    """Return a quantity in stock units, which it is in without a unit.

    `holds` is what the unit held before, if that counts and not what it holds today. Raises
    UnknownUnit, QuantityInexact.
    """
    if unit is None:
        return quantity
    units = units_of(item)
    pack = units.find(unit)
    if holds is None:
        if pack is None:
            raise UnknownUnit(item=item.code, unit=unit, units=units.names)
        holds = pack.quantity
    product = exact_product(quantity, holds)
    if product is None:
        raise QuantityInexact(
            item=item.code,
            quantity=quantity,
            unit=unit if pack is None else pack.unit,
            holds=holds,
            stock_unit=item.unit,
        )
    return product
