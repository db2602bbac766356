"""Consumption from the ledger's days: what was used, what went missing, and when there was nothing.

Consumption is what was issued. Transfers, adjustments and count corrections are not demand; what a
count finds missing shows as `unrecorded`. On a day that ends without stock, sales are not demand:
somebody may have wanted more. Days are those on which things happened, not on which they were
recorded; stock below zero means that the ledger does not know what lay there, not that nothing did.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

WINDOW_DAYS_MAX = 1100
WINDOW_DAYS_DEFAULT = 90
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class LedgerDay:
    """What the ledger says of an item on one day, in stock units.

    `returned` is what customers gave back, `counted` what count corrections added (signed),
    `on_hand` the stock when the day ended.
    """

    day: date
    issued: Decimal
    returned: Decimal
    received: Decimal
    counted: Decimal
    on_hand: Decimal


@dataclass(frozen=True, slots=True)
class ConsumptionDay:
    """What was used of an item on one day, in stock units."""

    day: date
    quantity: Decimal
    received: Decimal
    unrecorded: Decimal
    on_hand: Decimal
    is_stock_out: bool

    @property
    def is_worth_telling(self) -> bool:
        """Say whether the day differs from an ordinary one without demand."""
        return bool(self.quantity or self.unrecorded or self.is_stock_out)


@dataclass(frozen=True, slots=True)
class DemandHistory:
    """Demand per day from `first_day` to `last_day`; a day that is missing had none."""

    first_day: date
    last_day: date
    quantity: dict[date, Decimal]
    stock_outs: list[date]


def day_of(moment: datetime) -> date:
    """Return the day that a moment belongs to, in UTC."""
    return moment.astimezone(UTC).date()


def window_start(last_day: date) -> date:
    """Return the first day of the window that ends on `last_day` when nobody says which."""
    days = min(WINDOW_DAYS_DEFAULT, last_day.toordinal())
    return last_day - timedelta(days=days - 1)


def is_window(first_day: date, last_day: date) -> bool:
    """Say whether these days may be asked for at once."""
    return 0 <= (last_day - first_day).days < WINDOW_DAYS_MAX


def complete_days(
    ledger: Sequence[LedgerDay], first_day: date, last_day: date
) -> list[ConsumptionDay]:
    """Return every day of the window since the item was first moved.

    `ledger` is in order of days and starts with the item's first, so that the stock of a day
    without movements is known. Days before the item was ever moved are not part of its history.
    """
    by_day = {each.day: each for each in ledger}
    if not ledger or last_day < ledger[0].day:
        return []
    day = max(first_day, ledger[0].day)
    on_hand = next((each.on_hand for each in reversed(ledger) if each.day < day), NOTHING)
    found = []
    while day <= last_day:
        known = by_day.get(day)
        on_hand = known.on_hand if known else on_hand
        found.append(
            ConsumptionDay(
                day=day,
                quantity=max(known.issued - known.returned, NOTHING) if known else NOTHING,
                received=known.received if known else NOTHING,
                unrecorded=-known.counted if known else NOTHING,
                on_hand=on_hand,
                is_stock_out=on_hand == 0,
            )
        )
        day += timedelta(days=1)
    return found


def demand_history(days: Sequence[ConsumptionDay]) -> DemandHistory | None:
    """Return the demand that a model is trained on; None without any day."""
    if not days:
        return None
    return DemandHistory(
        first_day=days[0].day,
        last_day=days[-1].day,
        quantity={each.day: each.quantity for each in days if each.quantity},
        stock_outs=[each.day for each in days if each.is_stock_out],
    )
