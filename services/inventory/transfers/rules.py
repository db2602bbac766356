"""What became of stock that was on its way."""

from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

_NOTHING = Decimal(0)


class TransferState(StrEnum):
    """Where a transfer is."""

    IN_TRANSIT = "in_transit"
    RECEIVED = "received"


class Arrival(NamedTuple):
    """How a quantity received stands to the one dispatched, in stock units."""

    moved: Decimal  # Out of transit, to where it goes.
    short: Decimal  # Lost on the way.
    over: Decimal  # More than was dispatched.


def arrival_of(dispatched: Decimal, received: Decimal) -> Arrival:
    """Return what a receipt moves, and what it finds missing or too much."""
    return Arrival(
        min(dispatched, received),
        max(dispatched - received, _NOTHING),
        max(received - dispatched, _NOTHING),
    )
