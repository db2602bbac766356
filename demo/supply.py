"""Two years of a shop's stock around real sales: a buyer, a back store, a shelf, and counts.

Sales are given and never cut. The buyer looks at each item every evening and orders up to a target;
where he is too late, an express receipt comes first. No I/O, and nothing is random: the same sales
give the same movements.
"""

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from math import ceil, pi, sin, sqrt
from operator import mul
from zlib import crc32

from demo.catalogue import Product
from demo.sales import SalesSeries

BACK_STORE = "Back store"
SHOP_FLOOR = "Shop floor"
AWAY_DAYS = 10  # So long before today the buyer left, and has not ordered since.
MEMORY_DAYS = 56  # What the buyer looks back on.
OPENING_DAYS = 28  # Of the first sales, by which the opening stock was bought.
CYCLE_DAYS = 14  # An order covers so many days beyond the reorder point.
SAFETY_FACTOR = 1.64  # times the standard deviation over the lead time: a 95 % service level
SHELF_DAYS = 3  # of sales, that the shelf holds when full
COUNT_EVERY_DAYS = 61
EXPRESS_SURCHARGE = Decimal("1.08")
COST_STEP = Decimal("0.001")
YEAR_DAYS = 365.25
# What a count finds beside the books, in hundredths of all counts: mostly nothing.
COUNT_DIFFERENCES = ((62, 0), (82, -1), (90, -2), (94, -3), (100, 1))


class Kind(StrEnum):
    """The movements of the replay, by the API's names."""

    RECEIPT = "receipt"
    TRANSFER = "transfer"
    ISSUE = "issue"
    COUNT = "count_correction"


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement; `quantity` in stock units, of a count what was found on the shelf."""

    at: datetime
    kind: Kind
    code: str
    quantity: int
    reference: str
    unit_cost: Decimal | None = None


@dataclass
class Shop:
    """One item's stock while its days are replayed; every method is a thing that happens."""

    product: Product
    minute: int  # Of the hour: so that no two items move at the same moment.
    back: int = 0
    shelf: int = 0
    due: dict[date, int] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)

    @property
    def on_hand(self) -> int:
        return self.back + self.shelf

    @property
    def position(self) -> int:
        """What is there and what is ordered."""
        return self.on_hand + sum(self.due.values())

    def receive(self, day: date, quantity: int, hour: int, reference: str, cost: Decimal) -> None:
        if quantity:
            self.back += quantity
            self._note(day, hour, Kind.RECEIPT, quantity, reference, cost)

    def rush(self, day: date, wanted: int) -> None:
        """Let an express receipt come when the day's sales would empty the shop."""
        missing = wanted + 1 - self.on_hand  # The last unit stays: demand is never in doubt.
        if missing > 0:
            cost = (unit_cost(self.product, day) * EXPRESS_SURCHARGE).quantize(COST_STEP)
            self.receive(day, in_packs(missing, self.product), 7, "EXPRESS", cost)

    def fill_shelf(self, day: date, wanted: int, usual: float) -> None:
        """Fill the shelf in the morning when it is half empty, and at noon for a busy day."""
        full = max(1, ceil(usual * SHELF_DAYS))
        if self.shelf <= full // 2:
            self._carry(day, min(self.back, full - self.shelf), 8, "SHELF")
        self._carry(day, wanted - self.shelf, 11, "TOP-UP")

    def sell(self, day: date, quantity: int) -> None:
        if quantity:
            self.shelf -= quantity
            self._note(day, 17, Kind.ISSUE, quantity, "SALES")

    def count(self, day: date) -> None:
        """Count the shelf in the evening; what is found is what there is."""
        found = self.shelf + _count_difference(self.product.code, day)
        if found < 0 or found + self.back < 1:
            found = self.shelf
        self.shelf = found
        self._note(day, 20, Kind.COUNT, found, "COUNT")

    def order(self, day: date, memory: Collection[int]) -> None:
        """Order up to the target once stock and orders are down at the reorder point."""
        point, usual = reorder_point(memory, self.product.lead_time_days)
        if self.position <= point:
            wanted = ceil(point + usual * CYCLE_DAYS) - self.position
            arrival = day + timedelta(days=self.product.lead_time_days)
            self.due[arrival] = self.due.get(arrival, 0) + in_packs(wanted, self.product)

    def _carry(self, day: date, quantity: int, hour: int, reference: str) -> None:
        if quantity > 0:
            self.back -= quantity
            self.shelf += quantity
            self._note(day, hour, Kind.TRANSFER, quantity, reference)

    def _note(
        self,
        day: date,
        hour: int,
        kind: Kind,
        quantity: int,
        reference: str,
        cost: Decimal | None = None,
    ) -> None:
        at = datetime.combine(day, time(hour, self.minute), UTC)
        named = f"{reference}-{day:%Y%m%d}"
        self.movements.append(Movement(at, kind, self.product.code, quantity, named, cost))


def replay(product: Product, sales: SalesSeries, number: int) -> list[Movement]:
    """Return an item's movements in order of time; `number` staggers the items."""
    shop = Shop(product, minute=number % 60)
    memory: deque[int] = deque(sales.quantities[:OPENING_DAYS], maxlen=MEMORY_DAYS)
    point, usual = reorder_point(memory, product.lead_time_days)
    opening = in_packs(max(1, ceil(point + usual * CYCLE_DAYS)), product)
    shop.receive(sales.first_day, opening, 5, "OPENING", unit_cost(product, sales.first_day))
    buyer_leaves = sales.last_day - timedelta(days=AWAY_DAYS)
    for day, sold in sales.days():
        shop.receive(day, shop.due.pop(day, 0), 6, "ORDER", unit_cost(product, day))
        shop.rush(day, sold)
        shop.fill_shelf(day, sold, mean(memory))
        shop.sell(day, sold)
        memory.append(sold)
        if (day.toordinal() + number) % COUNT_EVERY_DAYS == 0:
            shop.count(day)
        if day <= buyer_leaves:
            shop.order(day, memory)
    return shop.movements


def in_time_order(replays: Iterable[list[Movement]]) -> list[Movement]:
    """Return the movements of all items as they happened."""
    return sorted((each for movements in replays for each in movements), key=lambda each: each.at)


def last_reorder_point(product: Product, sales: SalesSeries) -> int:
    """Return the reorder point that the buyer went by on his last evening, in stock units."""
    known = sales.quantities[: len(sales.quantities) - AWAY_DAYS]
    point, _ = reorder_point(known[-MEMORY_DAYS:], product.lead_time_days)
    return point


def reorder_point(memory: Collection[int], lead_time_days: int) -> tuple[int, float]:
    """Return the stock at which to order, and usual sales a day, both in stock units."""
    usual = mean(memory)
    variance = max(0.0, sum(map(mul, memory, memory)) / len(memory) - usual**2)
    safety = SAFETY_FACTOR * sqrt(variance * lead_time_days)
    return ceil(usual * lead_time_days + safety), usual


def mean(memory: Collection[int]) -> float:
    """Return the mean of whole numbers; statistics.fmean takes ten times as long."""
    return sum(memory) / len(memory)


def unit_cost(product: Product, day: date) -> Decimal:
    """Return what the supplier asks that day: dearer over the years, with a yearly swing."""
    phase = crc32(product.code.encode()) % 628 / 100
    swing = 0.03 * sin(2 * pi * day.toordinal() / YEAR_DAYS + phase)
    trend = 0.02 * (day.toordinal() % 1461 / YEAR_DAYS - 2)  # A leap cycle: -4 % to +4 %.
    return (product.unit_cost * Decimal(1 + swing + trend)).quantize(COST_STEP)


def in_packs(quantity: int, product: Product) -> int:
    """Return the least quantity of whole packs that covers `quantity`."""
    return -(-quantity // product.pack_size) * product.pack_size


def _count_difference(code: str, day: date) -> int:
    drawn = crc32(f"{code} {day}".encode()) % 100
    return next(difference for below, difference in COUNT_DIFFERENCES if drawn < below)
