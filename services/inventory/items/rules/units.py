"""The units of an item: what it is counted in, and how much of that each of its packs holds.

Units are compared by key, as all names are: `Case` is `case`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from functools import lru_cache
from typing import NamedTuple

import orjson

from shared.identifiers import identifier_key
from shared.money import QUANTITY_PLACES, plain

PACKS_MAX = 20
_ONE = Decimal(1)
_EXACT = Context(prec=1000, traps=[Inexact])  # More than kits within kits make of 18 digits each.


class Pack(NamedTuple):
    """A unit that an item comes in, and the stock units in one of it."""

    unit: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Units:
    """All units of an item, and the pack it is ordered in.

    pack_unit is None where it is ordered in multiples of pack_size that have no name. Where it is
    a pack, pack_size is what that pack holds.
    """

    unit: str
    packs: tuple[Pack, ...]
    pack_unit: str | None
    pack_size: Decimal

    @property
    def names(self) -> list[str]:
        """All of them as they are written, the stock unit first."""
        return [self.unit, *(pack.unit for pack in self.packs)]

    def find(self, named: str) -> Pack | None:
        """Return the unit that a text names, if it is one of the item's."""
        return find_pack(named, self.unit, {identifier_key(p.unit): p for p in self.packs})

    def ordered_in(self, pack_unit: str | None, pack_size: Decimal | None) -> "Units":
        """Return them with another pack to order in, which becomes one of the packs.

        Without a size it is what the pack of that name holds, or else the size of before.
        """
        size = self.pack_size if pack_size is None else pack_size
        if pack_unit is None or identifier_key(pack_unit) == identifier_key(self.unit):
            return Units(self.unit, self.packs, pack_unit, size)
        known = self.find(pack_unit)
        if known is None:
            return Units(self.unit, (*self.packs, Pack(pack_unit, size)), pack_unit, size)
        if pack_size is None:
            return Units(self.unit, self.packs, pack_unit, known.quantity)
        packs = tuple(Pack(p.unit, pack_size) if p is known else p for p in self.packs)
        return Units(self.unit, packs, pack_unit, pack_size)


def find_pack(named: str, unit: str, packs: Mapping[str, Pack]) -> Pack | None:
    """Return the unit that a text names among packs by key; the stock unit is a pack of one."""
    key = identifier_key(named)
    return packs.get(key) or (Pack(unit, _ONE) if key == identifier_key(unit) else None)


def exact_product(quantity: Decimal, factor: Decimal) -> Decimal | None:
    """Return the product, None where it has more than four digits after the point."""
    product = _EXACT.multiply(quantity, factor)
    try:
        return product.quantize(QUANTITY_PLACES, context=_EXACT)
    except Inexact:
        return None


@lru_cache(maxsize=8192)
def packs_of(stored: str | None) -> Mapping[str, Pack]:
    """Return packs by key: of none at all, or of the JSON of `stored_packs`."""
    packs = orjson.loads(stored) if stored is not None else []
    return {p["key"]: Pack(p["unit"], Decimal(p["quantity"])) for p in packs}


def read_packs(stored: Sequence[Mapping[str, str]]) -> tuple[Pack, ...]:
    """Return packs that were stored."""
    return tuple(Pack(each["unit"], Decimal(each["quantity"])) for each in stored)


def stored_packs(packs: Sequence[Pack]) -> list[dict[str, str]]:
    """Return packs as they are stored: with their keys, which the database compares."""
    return [
        {"unit": p.unit, "key": identifier_key(p.unit), "quantity": plain(p.quantity)}
        for p in packs
    ]
