"""What inventory writes to its journal, for others to follow."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from shared.journal import Entry

UNIT_AMOUNT_COLUMN = "inventory.prices.amount"  # The place that sealed amounts are bound to.


class ItemSaved(Entry):
    """An item as it stands after it was added, changed or retired."""

    name: ClassVar[str] = "inventory.item-saved.v1"
    item_id: UUID
    code: str
    name_en: str
    name_fr: str
    category: str | None
    unit: str
    pack_size: Decimal
    pack_unit: str | None
    par_level: Decimal | None
    reorder_point: Decimal | None
    reorder_quantity: Decimal | None
    lead_time_days: int | None
    cost_id: UUID | None
    active: bool
    changed: list[str]  # The fields that differ from before; empty for a new item.

    @property
    def subject(self) -> str:
        return f"item:{self.item_id}"


class PriceSet(Entry):
    """A cost or price of an item, sealed for its row in `inventory.prices`."""

    name: ClassVar[str] = "inventory.price-set.v1"
    price_id: UUID
    item_id: UUID
    kind: Literal["cost", "price"]
    amount_sealed: str  # Base64; opens at place(UNIT_AMOUNT_COLUMN, tenant, price_id).

    @property
    def subject(self) -> str:
        return f"item:{self.item_id}"


class LocationSaved(Entry):
    """A location as it stands after it was added or changed."""

    name: ClassVar[str] = "inventory.location-saved.v1"
    location_id: UUID
    location_name: str
    type: str
    parent_id: UUID | None
    capacity: Decimal | None

    @property
    def subject(self) -> str:
        return f"location:{self.location_id}"


class LocationRemoved(Entry):
    """An empty location that was taken away."""

    name: ClassVar[str] = "inventory.location-removed.v1"
    location_id: UUID
    location_name: str

    @property
    def subject(self) -> str:
        return f"location:{self.location_id}"


class StockMoved(Entry):
    """One ledger row: a change of one item at one location. A transfer is two, legs 0 and 1."""

    name: ClassVar[str] = "inventory.stock-moved.v1"
    movement_id: UUID
    leg: int
    kind: str
    item_id: UUID
    code: str
    location_id: UUID
    location: str
    quantity: Decimal  # Signed, in stock units.
    balance_after: Decimal
    cost_id: UUID | None
    amount_sealed: str | None  # The unit cost the movement itself brought; see PriceSet.
    reason: str | None
    reference: str | None
    occurred_at: datetime

    @property
    def subject(self) -> str:
        return f"item:{self.item_id}"
