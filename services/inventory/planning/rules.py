"""What may be promised of an item, and how long it will last; decided without I/O."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_CEILING, Context, Decimal
from typing import NamedTuple

USE_DAYS = 28  # Over which the use of an item is averaged, unless asked otherwise.
_NOTHING = Decimal(0)
_EXACT = Context(prec=60)
_MICROSECONDS = Decimal(86_400_000_000)  # In a day.
_DAYS_MAX = 3650  # What lasts longer than that has no day on which it runs out.


class Supply(NamedTuple):
    """Stock that nobody holds, in stock units: there from `begins` on, usable until `ends`."""

    quantity: Decimal
    begins: datetime
    ends: datetime | None = None  # From then on it has expired.


class Step(NamedTuple):
    """What may be promised from an instant on, until the next step."""

    at: datetime
    received: Decimal
    expired: Decimal
    available_to_promise: Decimal


def steps_of(supplies: Iterable[Supply], now: datetime, until: datetime | None) -> list[Step]:
    """Return what may be promised now, and at each later instant at which that changes.

    Of a date as much may be promised as is usable then. What is held was taken off before, and
    nothing that lies there or comes is taken by anything but a promise: so none that was made for
    an earlier date is broken by one within these figures. What expires before it comes is nothing.
    """
    known = [each for each in supplies if each.ends is None or each.ends > max(each.begins, now)]
    steps = [Step(now, _NOTHING, _NOTHING, sum_quantities(e for e in known if e.begins <= now))]
    changes = {each.begins for each in known} | {each.ends for each in known if each.ends}
    for at in sorted(at for at in changes if at > now and (until is None or at <= until)):
        received = sum_quantities(each for each in known if each.begins == at)
        expired = sum_quantities(each for each in known if each.ends == at)
        left = steps[-1].available_to_promise + received - expired
        steps.append(Step(at, received, expired, left))
    return steps


def sum_quantities(supplies: Iterable[Supply]) -> Decimal:
    """Return how much there is of all of these."""
    return sum((each.quantity for each in supplies), _NOTHING)


def end_of(expires_on: date | None) -> datetime | None:
    """Return when a lot has expired whose last day, by UTC, is this; None for never."""
    if expires_on is None:
        return None
    return datetime.combine(expires_on, time(), UTC) + timedelta(days=1)


def daily_use_of(used: Decimal, age: timedelta, use_days: int) -> Decimal:
    """Return how much is used a day, in stock units, by what was used in the last `use_days`.

    What first moved later, `age` ago, is divided by the days since, but by at least one. What
    came back beyond what was used is no use.
    """
    days = Decimal(age // timedelta(microseconds=1)) / _MICROSECONDS
    return max(used, _NOTHING) / min(max(days, Decimal(1)), Decimal(use_days))


class Outlook(NamedTuple):
    """How long stock will last, if it goes on being used as it was."""

    days_of_stock: Decimal | None  # By what is available alone; None if none is used.
    stock_out_at: datetime | None  # With what is expected before; None if none is used, or in ages.
    expected_before: Decimal  # What is expected before, in stock units.


def outlook_of(
    available: Decimal,
    daily_use: Decimal,
    receipts: Sequence[tuple[datetime, Decimal]],
    now: datetime,
) -> Outlook:
    """Return how long what is available lasts, with receipts that come before it is used up."""
    if daily_use <= 0:
        return Outlook(None, None, sum((quantity for _, quantity in receipts), _NOTHING))
    left = max(available, _NOTHING)
    days = _EXACT.divide(left, daily_use)
    expected = _NOTHING
    for at, quantity in sorted(receipts):
        if _EXACT.divide(left + expected, daily_use) < _days_between(now, at):
            break
        expected += quantity
    lasts = _EXACT.divide(left + expected, daily_use)
    stock_out_at = now + timedelta(days=float(lasts)) if lasts <= _DAYS_MAX else None
    return Outlook(days, stock_out_at, expected)


def is_short(outlook: Outlook, lead_time_days: int | None, now: datetime) -> bool | None:
    """Say whether it runs out before an order of today arrives; None where that takes unknown."""
    if lead_time_days is None:
        return None
    arrives_at = now + timedelta(days=lead_time_days)
    return outlook.stock_out_at is not None and outlook.stock_out_at < arrives_at


class Wish(NamedTuple):
    """What is wished of an item somewhere, in stock units; None is unsaid."""

    par_level: Decimal | None
    reorder_point: Decimal | None
    reorder_quantity: Decimal | None
    maximum: Decimal | None
    pack_size: Decimal


def suggested_quantity(position: Decimal, wish: Wish) -> Decimal:
    """Return how much to order in whole packs; nothing where what is under way will do.

    The position is what is available with all that is under way. Ordered is up to the maximum, or
    else the par level or reorder point, at least the reorder quantity, at least a pack.
    """
    point, par = wish.reorder_point, wish.par_level
    if (point is None or position > point) and (par is None or position >= par):
        return _NOTHING
    target = wish.maximum if wish.maximum is not None else max(point or _NOTHING, par or _NOTHING)
    wanted = max(target - position, wish.reorder_quantity or _NOTHING, wish.pack_size)
    packs = _EXACT.divide(wanted, wish.pack_size).to_integral_value(ROUND_CEILING)
    return _EXACT.multiply(packs, wish.pack_size)


def _days_between(now: datetime, at: datetime) -> Decimal:
    return _EXACT.divide(Decimal((at - now) // timedelta(microseconds=1)), _MICROSECONDS)
