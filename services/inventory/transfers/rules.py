"""What became of stock that was on its way."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, TypeVar

_NOTHING = Decimal(0)
LotT = TypeVar("LotT")


class TransferState(StrEnum):
    """Where a transfer is."""

    IN_TRANSIT = "in_transit"
    RECEIVED = "received"
    CANCELLED = "cancelled"  # What had not arrived went back.


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


def part_arrival(
    carried: Sequence[tuple[LotT, Decimal]], keys: Sequence[str], received: Sequence[str]
) -> tuple[list[tuple[LotT, Decimal]], list[tuple[LotT, Decimal]], list[int]]:
    """Return which serials arrived, which are missing, and which of those received are more.

    keys are those of what was carried, in its order; the last are places in `received`.
    """
    there, known = set(received), set(keys)
    arrived: list[tuple[LotT, Decimal]] = []
    missing: list[tuple[LotT, Decimal]] = []
    for each, key in zip(carried, keys, strict=True):
        (arrived if key in there else missing).append(each)
    return arrived, missing, [n for n, key in enumerate(received) if key not in known]


def share_arrival(
    carried: Sequence[tuple[LotT, Decimal]], moved: Decimal
) -> tuple[list[tuple[LotT, Decimal]], list[tuple[LotT, Decimal]]]:
    """Return how much of each lot arrived and how much is missing: the first are taken as there."""
    arrived, missing, left = [], [], moved
    for lot, quantity in carried:
        here = min(quantity, left)
        left -= here
        arrived.append((lot, here))
        missing.append((lot, quantity - here))
    return [each for each in arrived if each[1]], [each for each in missing if each[1]]
