"""What is refused about transfers in two stages."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from shared.errors import Conflict, NotFound
from shared.i18n import N_


@dataclass(eq=False)
class TransitMissing(Conflict):
    """Stock on its way lies at a location of type transit, and there is none in use."""

    slug: ClassVar[str] = "transit-missing"
    title: ClassVar[str] = N_("No location for stock in transit")
    detail: ClassVar[str] = N_(
        "There is no location of type transit in use. Add one, or name it in via."
    )


@dataclass(eq=False)
class TransferNotFound(NotFound):
    slug: ClassVar[str] = "transfer-not-found"
    title: ClassVar[str] = N_("Transfer not found")
    detail: ClassVar[str] = N_("No transfer has this id. Check it in the list of transfers.")


@dataclass(eq=False)
class TransferReceivedAlready(Conflict):
    """What was dispatched is received once. A mistake is mended by an adjustment."""

    slug: ClassVar[str] = "transfer-received-already"
    title: ClassVar[str] = N_("Received already")
    detail: ClassVar[str] = N_(
        "The transfer was received before. To mend a mistake, record an adjustment."
    )


@dataclass(eq=False)
class TransferOverReceived(Conflict):
    """More is said to have arrived than is still in transit.

    Of an item with serials, `serials` are those that were not dispatched or arrived before. What is
    meant so is told by `over_received`: then the surplus is recorded as a difference.
    """

    slug: ClassVar[str] = "transfer-over-received"
    title: ClassVar[str] = N_("More than was sent")
    detail: ClassVar[str] = N_(
        "{item}: {sent} sent, {already_received} received already, {remaining} still in transit; "
        "{requested} said to have arrived. Correct the quantity and its unit, or send "
        "over_received to record the surplus as a difference."
    )
    item: str
    sent: Decimal
    already_received: Decimal
    remaining: Decimal
    requested: Decimal
    serials: list[str]


@dataclass(eq=False)
class TransferCalledOff(Conflict):
    """What was in transit went back to where it left, so nothing of it arrives any more."""

    slug: ClassVar[str] = "transfer-called-off"
    title: ClassVar[str] = N_("Transfer cancelled")
    detail: ClassVar[str] = N_(
        "The transfer was cancelled, and what was in transit went back. Dispatch it anew if it "
        "is to go after all."
    )
