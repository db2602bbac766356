"""Why the ledger refuses a movement."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from shared.errors import Conflict, NotFound, Unprocessable
from shared.i18n import N_, NP_


@dataclass(eq=False)
class InsufficientStock(Conflict):
    """The place has fewer available units than the movement takes.

    `elsewhere` are at most five other locations with what is available there, the most first;
    `next_receipt` is what is expected next, there or else anywhere, null where nothing is. Take
    less, bring stock there first, or take it from there.
    """

    slug: ClassVar[str] = "insufficient-stock"
    title: ClassVar[str] = N_("Not enough stock")
    detail: ClassVar[str] = N_(
        "{available} of {item} available at {location}, {requested} asked. Take less, or "
        "bring stock there first."
    )
    item: str
    location: str
    available: Decimal
    requested: Decimal
    on_hand: Decimal
    reserved: Decimal
    elsewhere: list[dict[str, str]]  # location, available
    next_receipt: dict[str, str] | None  # location, quantity, expected_at


@dataclass(eq=False)
class InsufficientStockThen(InsufficientStock):
    """A late movement would leave too little at some instant since; `fits_from` is when it fits."""

    detail: ClassVar[str] = N_(
        "{item} at {location}: {available} available from then on, {requested} asked. It fits from "
        "{fits_from} on. If more lay there then, record that first, with an earlier time: the "
        "opening stock comes before the first sale."
    )
    fits_from: datetime

    def detail_in(self, language: str) -> str:
        """Return the detail, whose time is the next whole minute: from the one before not yet."""
        minute = self.fits_from.replace(second=0, microsecond=0)
        whole = minute if minute == self.fits_from else minute + timedelta(minutes=1)
        return super(InsufficientStockThen, replace(self, fits_from=whole)).detail_in(language)


@dataclass(eq=False)
class InsufficientUnexpired(InsufficientStock):
    """Too little lies there that has not expired; what has is `expired`."""

    detail: ClassVar[str] = N_(
        "{available} of {item} available at {location}, {requested} asked. Expired, and not "
        "counted: {expired}. Take less, or bring stock there first; write off what has expired."
    )
    expired: Decimal


@dataclass(eq=False)
class CountTooLow(InsufficientStock):
    """So few cannot have lain there: more was taken since, or is reserved. Count again."""

    detail: ClassVar[str] = N_(
        "{item} at {location}: {requested} counted, but {least} taken since or reserved. "
        "Check the count and its time."
    )
    least: Decimal


@dataclass(eq=False)
class BalanceTooLarge(Conflict):
    slug: ClassVar[str] = "balance-too-large"
    title: ClassVar[str] = N_("Too much to hold")
    detail: ClassVar[str] = N_(
        "The stock of {item} at {location} would have too many digits. Record a smaller quantity."
    )
    item: str
    location: str


@dataclass(eq=False)
class QuantityInexact(Unprocessable):
    """A quantity in a pack's unit has more digits in stock units than stock is kept in."""

    slug: ClassVar[str] = "quantity-inexact"
    title: ClassVar[str] = N_("Not exact in stock units")
    detail: ClassVar[str] = N_(
        "{item} is kept to four digits after the point, in {stock_unit}. {quantity} {unit}, one of "
        "which is {holds}, would have more. Give the quantity in {stock_unit}."
    )
    item: str
    quantity: Decimal
    unit: str
    holds: Decimal
    stock_unit: str


@dataclass(eq=False)
class InTransit(Conflict):
    """What lies at a location of type transit is on its way: transfers alone move it."""

    slug: ClassVar[str] = "in-transit"
    title: ClassVar[str] = N_("In transit")
    detail: ClassVar[str] = N_(
        "Stock in transit moves by its transfer alone. Dispatch or receive a transfer instead, at "
        "/api/inventory/transfers."
    )


@dataclass(eq=False)
class LotsNotTracked(Unprocessable):
    """A lot is named of an item that has none."""

    slug: ClassVar[str] = "lots-not-tracked"
    title: ClassVar[str] = N_("No lots")
    detail: ClassVar[str] = N_("{item} is not tracked by lots. Leave the lot out.")
    item: str


@dataclass(eq=False)
class LotNeeded(Unprocessable):
    """What comes in or is counted of an item with lots is of one of them."""

    slug: ClassVar[str] = "lot-needed"
    title: ClassVar[str] = N_("Lot needed")
    detail: ClassVar[str] = N_("{item} is tracked by lots. Name the lot.")
    item: str


@dataclass(eq=False)
class LotNotFound(NotFound):
    """No receipt has named this lot of the item."""

    slug: ClassVar[str] = "lot-not-found"
    title: ClassVar[str] = N_("Lot not found")
    detail: ClassVar[str] = N_(
        "There is no lot {lot} here. Check its code in the list of the item's lots; a lot is begun "
        "by a receipt that names it."
    )
    item: str | None  # As it was named; null where none was.
    lot: str


@dataclass(eq=False)
class LotExpiryDiffers(Conflict):
    """The lot was received with another expiry, `expires_on`; null if with none."""

    slug: ClassVar[str] = "lot-expiry-differs"
    title: ClassVar[str] = N_("Another expiry")
    detail: ClassVar[str] = N_(
        "The lot {lot} of {item} has another expiry than {requested}. Leave expires_on out, or "
        "correct the lot first."
    )
    item: str
    lot: str
    expires_on: date | None
    requested: date


@dataclass(eq=False)
class LotExpired(Conflict):
    """An expired lot is not issued."""

    slug: ClassVar[str] = "lot-expired"
    title: ClassVar[str] = N_("Lot expired")
    detail: ClassVar[str] = N_(
        "The lot {lot} of {item} expired on {expires_on}. Issue another, and write this one off; "
        "or correct its expiry."
    )
    item: str
    lot: str
    expires_on: date


@dataclass(eq=False)
class SerialsNotTracked(Unprocessable):
    """Serials are named of an item that has none."""

    slug: ClassVar[str] = "serials-not-tracked"
    title: ClassVar[str] = N_("No serial numbers")
    detail: ClassVar[str] = N_("{item} is not tracked by serial numbers. Leave the serials out.")
    item: str


@dataclass(eq=False)
class SerialsNeeded(Unprocessable):
    """Whatever moves or is counted of an item with serials is named."""

    slug: ClassVar[str] = "serials-needed"
    title: ClassVar[str] = N_("Serial numbers needed")
    detail: ClassVar[str] = N_("{item} is tracked by serial numbers. Name the serials.")
    item: str


@dataclass(eq=False)
class SerialsDiffer(Unprocessable):
    """The quantity, in stock units, is not how many serials are named."""

    slug: ClassVar[str] = "serials-differ"
    title: ClassVar[str] = N_("Not as many serial numbers as units")
    detail: ClassVar[str] = N_(
        "{item}: {requested} asked in stock units, but {named} named by serial number. Leave the "
        "quantity out, or correct one of both."
    )
    item: str
    requested: Decimal
    named: int


@dataclass(eq=False)
class SerialsInStock(Conflict):
    """Some serials cannot come, since they lie, or lay at that time or later, somewhere.

    `serials` names all that do not fit, each with the reason, and with the location where you may
    know of it.
    """

    slug: ClassVar[str] = "serials-in-stock"
    title: ClassVar[str] = N_("Serial number in stock already")
    detail: ClassVar[tuple[str, str]] = NP_(
        "{failing} serial number of {item} cannot come: {first} is in stock already, or was then. "
        "See in serials where; correct it, or issue it there first.",
        "{failing} serial numbers of {item} cannot come, {first} among them: they are in stock "
        "already, or were then. See in serials where; correct them, or issue them there first.",
    )
    counted: ClassVar[str] = "failing"
    item: str
    location: str
    failing: int
    first: str
    serials: list[dict[str, str | None]]  # serial, reason, location


@dataclass(eq=False)
class SerialsNotThere(Conflict):
    """Some serials cannot leave a location where they do not lie, or are reserved.

    `serials` names all of them, each with the reason, and with the location where it lies, where
    you may know of it.
    """

    slug: ClassVar[str] = "serials-not-there"
    title: ClassVar[str] = N_("Serial number not there")
    detail: ClassVar[tuple[str, str]] = NP_(
        "{failing} serial number of {item} cannot leave {location}: {first}. See in serials why; "
        "correct it, then send all again.",
        "{failing} serial numbers of {item} cannot leave {location}, {first} among them. See in "
        "serials why; correct them, then send all again.",
    )
    counted: ClassVar[str] = "failing"
    item: str
    location: str
    failing: int
    first: str
    serials: list[dict[str, str | None]]  # serial, reason, location


@dataclass(eq=False)
class TransferInPlace(Unprocessable):
    slug: ClassVar[str] = "transfer-in-place"
    title: ClassVar[str] = N_("Nothing to transfer")
    detail: ClassVar[str] = N_("A transfer goes to another location. Give another to_location.")


@dataclass(eq=False)
class MovementInFuture(Unprocessable):
    slug: ClassVar[str] = "movement-in-future"
    title: ClassVar[str] = N_("Time in the future")
    detail: ClassVar[str] = N_(
        "A movement cannot have happened later than now. Give an earlier time, or none for now."
    )


@dataclass(eq=False)
class NotSettledYet(Conflict):
    slug: ClassVar[str] = "not-settled-yet"
    title: ClassVar[str] = N_("Not settled yet")
    detail: ClassVar[str] = N_(
        "Movements of that time are still being recorded. Ask again in a moment."
    )


@dataclass(eq=False)
class KnownInFuture(Unprocessable):
    slug: ClassVar[str] = "known-in-future"
    title: ClassVar[str] = N_("Time in the future")
    detail: ClassVar[str] = N_(
        "Nobody knows yet what will be recorded by then. Give an earlier known_at, or none."
    )


@dataclass(eq=False)
class AlreadyReversed(Conflict):
    """The movement was reversed before, by the movement `reversed_by`."""

    slug: ClassVar[str] = "already-reversed"
    title: ClassVar[str] = N_("Already reversed")
    detail: ClassVar[str] = N_(
        "The movement was reversed before, by {reversed_by}. Nothing is left to do; to have it "
        "again, record it anew."
    )
    reversed_by: str
