"""Which location may lie in which."""

from enum import StrEnum


class LocationType(StrEnum):
    """The levels of the tree."""

    WAREHOUSE = "warehouse"
    ZONE = "zone"
    BIN = "bin"


def may_lie_in(child: LocationType, parent: LocationType | None) -> bool:
    """Say whether a location of one type may lie in one of another; None is no parent."""
    match child:
        case LocationType.WAREHOUSE:
            return parent is None
        case LocationType.ZONE:
            return parent is LocationType.WAREHOUSE
        case LocationType.BIN:
            return parent in {LocationType.WAREHOUSE, LocationType.ZONE}
