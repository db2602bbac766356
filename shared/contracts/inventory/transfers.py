"""What inventory journals of transfers in two stages."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from shared.journal import Entry


class TransferDispatched(Entry):
    """Stock left a location and is in transit to another one."""

    name: ClassVar[str] = "inventory.transfer-dispatched.v1"
    subject_of: ClassVar[tuple[str, str]] = ("transfer", "transfer_id")
    transfer_id: UUID
    item_id: UUID
    from_id: UUID
    to_id: UUID
    quantity: Decimal  # Stock units.
    expected_at: datetime | None = None


class TransferExpected(Entry):
    """A transfer under way is expected at another time; null: nobody knows when."""

    name: ClassVar[str] = "inventory.transfer-expected.v1"
    subject_of: ClassVar[tuple[str, str]] = ("transfer", "transfer_id")
    transfer_id: UUID
    expected_at: datetime | None


class TransferPartlyReceived(Entry):
    """Some of what was in transit arrived; the rest is still under way."""

    name: ClassVar[str] = "inventory.transfer-partly-received.v1"
    subject_of: ClassVar[tuple[str, str]] = ("transfer", "transfer_id")
    transfer_id: UUID
    item_id: UUID
    quantity: Decimal  # Dispatched, in stock units.
    received: Decimal  # By this delivery.
    under_way: Decimal  # After it.
    added_serials: tuple[str, ...] = ()  # Received, and not dispatched.


class TransferReceived(Entry):
    """What was in transit arrived; the rest was lost, what is more was found."""

    name: ClassVar[str] = "inventory.transfer-received.v1"
    subject_of: ClassVar[tuple[str, str]] = ("transfer", "transfer_id")
    transfer_id: UUID
    item_id: UUID
    quantity: Decimal  # Dispatched, in stock units.
    received: Decimal
    reason: str | None
    missing_serials: tuple[str, ...] = ()  # Dispatched, and not received.
    added_serials: tuple[str, ...] = ()  # Received, and not dispatched.


class TransferCancelled(Entry):
    """What was still in transit went back to where it left."""

    name: ClassVar[str] = "inventory.transfer-cancelled.v1"
    subject_of: ClassVar[tuple[str, str]] = ("transfer", "transfer_id")
    transfer_id: UUID
    item_id: UUID
    quantity: Decimal  # Dispatched, in stock units.
    received: Decimal  # Before that.
    returned: Decimal
    reason: str
