"""What inventory journals of the ledger."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from shared.journal import Entry


class StockMoved(Entry):
    """One ledger row: a change of one lot of an item at one location.

    A movement is as many as it changes levels, legs 0 and on: a transfer two of each lot or serial.
    """

    name: ClassVar[str] = "inventory.stock-moved.v1"
    subject_of: ClassVar[tuple[str, str]] = ("item", "item_id")
    movement_id: UUID
    leg: int
    kind: str
    item_id: UUID
    code: str
    location_id: UUID
    location: str
    lot_id: UUID | None = None  # Of the lot or of the serial; null where neither is known.
    lot: str | None = None
    serial: str | None = None
    expires_on: date | None = None  # Of the lot, as it was known then.
    quantity: Decimal  # Signed, in stock units.
    balance_after: Decimal
    cost_id: UUID | None
    amount_sealed: str | None  # The unit cost the movement itself brought; see PriceSet.
    reason_code: str | None = None  # Of a write-off; of an adjustment or a return if told.
    reason: str | None
    reference: str | None
    occurred_at: datetime
    backdated: bool = False  # Dated before a movement of the same level that was recorded first.
    given_quantity: Decimal | None = (
        None  # As it was asked for, in given_unit; null in stock units.
    )
    given_unit: str | None = None
    part_of: UUID | None = None  # Of a kit's assembly: the movement of the kit itself.
    reverses: UUID | None = None  # Of a reversal: the movement that it undoes, of which kind that
    reversed_kind: str | None = None  # is and when it happened. It carries the same cost_id.
    reversed_at: datetime | None = None
