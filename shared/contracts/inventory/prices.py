"""What inventory journals of costs and prices."""

from typing import ClassVar, Literal
from uuid import UUID

from shared.journal import Entry

UNIT_AMOUNT_COLUMN = "inventory.prices.amount"  # The place that sealed amounts are bound to.


class PriceSet(Entry):
    """A cost or price of an item, sealed for its row in `inventory.prices`."""

    name: ClassVar[str] = "inventory.price-set.v1"
    subject_of: ClassVar[tuple[str, str]] = ("item", "item_id")
    price_id: UUID
    item_id: UUID
    kind: Literal["cost", "price"]
    amount_sealed: str  # Base64; opens at place(UNIT_AMOUNT_COLUMN, tenant, price_id).
