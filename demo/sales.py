"""The real sales: read, put on calendar days, and moved so that they end yesterday."""

import csv
import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from statistics import median_low

SOURCES = Path(__file__).parent / "data"
PASTA = SOURCES / "pasta_daily.csv.gz"
GIFTS = SOURCES / "online_retail_daily.csv.gz"
WEEK_DAYS = 7

Row = dict[str, str]


@dataclass(frozen=True)
class SalesSeries:
    """What was sold of one item on each calendar day from `first_day` on, in stock units.

    `description` and `price` (pounds, the median day's) are empty where the source has none.
    """

    code: str
    description: str
    price: Decimal | None
    first_day: date
    quantities: tuple[int, ...]

    @property
    def last_day(self) -> date:
        return self.first_day + timedelta(days=len(self.quantities) - 1)

    def days(self) -> Iterator[tuple[date, int]]:
        for offset, quantity in enumerate(self.quantities):
            yield self.first_day + timedelta(days=offset), quantity


def read_series(path: Path, yesterday: date) -> list[SalesSeries]:
    """Return the items of one source, its last day (or one of the six before) at `yesterday`."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    last_day = max(date.fromisoformat(row["date"]) for row in rows)
    shift = whole_weeks(last_day, yesterday)
    grouped = groupby(rows, key=lambda row: row["item"])
    return [series_of(code, list(group), shift, yesterday) for code, group in grouped]


def whole_weeks(last_day: date, yesterday: date) -> timedelta:
    """Return the shift, in whole weeks, that puts `last_day` on `yesterday` or up to 6 days after.

    A Monday stays a Monday; what comes to lie after yesterday is to be cut.
    """
    return timedelta(days=-((last_day - yesterday).days // WEEK_DAYS) * WEEK_DAYS)


def series_of(code: str, rows: Sequence[Row], shift: timedelta, yesterday: date) -> SalesSeries:
    """Return one item's calendar days up to `yesterday`; a day without a row sold nothing."""
    sold = {date.fromisoformat(row["date"]) + shift: int(row["quantity"]) for row in rows}
    first_day = min(sold)
    days = range((yesterday - first_day).days + 1)
    return SalesSeries(
        code=code,
        description=rows[0].get("description", ""),
        price=_usual_price(rows),
        first_day=first_day,
        quantities=tuple(sold.get(first_day + timedelta(days=day), 0) for day in days),
    )


def _usual_price(rows: Iterable[Row]) -> Decimal | None:
    prices = [Decimal(row["price"]) for row in rows if "price" in row]
    return median_low(prices) if prices else None
