"""What is refused about reservations."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from shared.errors import Conflict, NotFound, Unprocessable
from shared.i18n import N_, NP_


@dataclass(eq=False)
class ReservationNotFound(NotFound):
    """No reservation of this id at locations that the caller may use."""

    slug: ClassVar[str] = "reservation-not-found"
    title: ClassVar[str] = N_("Reservation not found")
    detail: ClassVar[str] = N_(
        "There is no reservation {reservation} whose locations you may all use. Check the id in "
        "the list of reservations."
    )
    reservation: str


@dataclass(eq=False)
class ReservationRefused(Conflict):
    """Some lines cannot be held, so none is; `results` name each with the reason."""

    slug: ClassVar[str] = "reservation-refused"
    title: ClassVar[str] = N_("Nothing was reserved")
    detail: ClassVar[tuple[str, str]] = NP_(
        "{refused} line cannot be reserved. The results name it. Correct it, then send all of "
        "them again.",
        "{refused} lines cannot be reserved. The results name each. Correct them, then send "
        "all again.",
    )
    counted: ClassVar[str] = "refused"
    refused: int
    results: list[dict[str, object]]  # line, code, message, available


@dataclass(eq=False)
class InsufficientStockAnywhere(Conflict):
    """All locations together have fewer available units than asked.

    `next_receipt` is what is expected next, null where nothing is. Ask for less, or wait for it.
    """

    slug: ClassVar[str] = "insufficient-stock-anywhere"
    title: ClassVar[str] = N_("Not enough stock in all locations")
    detail: ClassVar[str] = N_(
        "{available} of {item} available in all locations that you may use, {requested} asked. Ask "
        "for less, or wait for a receipt."
    )
    item: str
    available: Decimal
    requested: Decimal
    next_receipt: dict[str, str] | None = None  # location, quantity, expected_at


@dataclass(eq=False)
class ReservationTimeUnfit(Unprocessable):
    """A reservation ends later than now, and within a year."""

    slug: ClassVar[str] = "reservation-time-unfit"
    title: ClassVar[str] = N_("No time for a reservation to end")
    detail: ClassVar[str] = N_("Give a time after now and within a year; {latest} at the latest.")
    latest: datetime


@dataclass(eq=False)
class ReservationOver(Conflict):
    """Its time was over, so what it held is anybody's again."""

    slug: ClassVar[str] = "reservation-expired"
    title: ClassVar[str] = N_("Reservation expired")
    detail: ClassVar[str] = N_("It expired at {expired_at} and holds nothing. Reserve anew.")
    expired_at: datetime


@dataclass(eq=False)
class ReservationDone(Conflict):
    """All that it held was committed or released."""

    slug: ClassVar[str] = "reservation-done"
    title: ClassVar[str] = N_("Reservation holds nothing")
    detail: ClassVar[str] = N_(
        "All that it held was committed or released before. To hold more, reserve anew."
    )


@dataclass(eq=False)
class MoreThanHeld(Conflict):
    """A line holds less than was asked of it."""

    slug: ClassVar[str] = "more-than-held"
    title: ClassVar[str] = N_("More than is held")
    detail: ClassVar[str] = N_(
        "Of line {line}, {requested} asked and {held} held. Ask for what is held, or less."
    )
    line: int
    held: Decimal
    requested: Decimal
