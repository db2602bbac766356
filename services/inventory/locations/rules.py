"""Which location may lie in which, and how full one is."""

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

_TENTH: Final = Decimal("0.1")


class LocationType(StrEnum):
    """The levels of the tree."""

    WAREHOUSE = "warehouse"
    ZONE = "zone"
    BIN = "bin"
    TRANSIT = "transit"  # Of no place: what is on its way from one to another.


def may_lie_in(child: LocationType, parent: LocationType | None) -> bool:
    """Say whether a location of one type may lie in one of another; None is no parent."""
    match child:
        case LocationType.WAREHOUSE | LocationType.TRANSIT:
            return parent is None
        case LocationType.ZONE:
            return parent is LocationType.WAREHOUSE
        case LocationType.BIN:
            return parent in {LocationType.WAREHOUSE, LocationType.ZONE}


def utilisation(used: Decimal | None, capacity: Decimal | None) -> Decimal | None:
    """Return how much of a capacity is used, in percent to one digit; None where either is."""
    if used is None or capacity is None:
        return None
    return (100 * used / capacity).quantize(_TENTH, ROUND_HALF_UP)
