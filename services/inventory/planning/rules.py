"""What may be promised of an item, and from when on; decided without I/O."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

_NOTHING = Decimal(0)


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
