"""How much of a reservation is where, decided without I/O."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

LINES_MAX = 200
SERIALS_OF_LINE_MAX = 1_000
LASTS = timedelta(days=1)  # Unless it says until when.
LASTS_MAX = timedelta(days=366)
NOTHING = Decimal(0)


class ReservationStatus(StrEnum):
    """What has become of a reservation."""

    ACTIVE = "active"  # Something is held.
    COMMITTED = "committed"  # Nothing is held any more, and something went out.
    RELEASED = "released"
    EXPIRED = "expired"


def status_of(
    *, held: Decimal, committed: Decimal, expired: Decimal, expires_at: datetime, now: datetime
) -> ReservationStatus:
    """Return what has become of a reservation; one whose time is over has expired, swept or not."""
    if held > 0:
        return ReservationStatus.ACTIVE if now < expires_at else ReservationStatus.EXPIRED
    if expired > 0:
        return ReservationStatus.EXPIRED
    return ReservationStatus.COMMITTED if committed > 0 else ReservationStatus.RELEASED


def share_out(wanted: Decimal, there: Sequence[Decimal]) -> list[Decimal]:
    """Return how much to take of each, in their order, until there is enough or nothing left."""
    taken = []
    for each in there:
        part = max(min(wanted, each), NOTHING)
        taken.append(part)
        wanted -= part
    return taken
