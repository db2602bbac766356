"""What inventory journals of freezes."""

from typing import ClassVar
from uuid import UUID

from shared.journal import Entry


class StockFrozen(Entry):
    """Everything, a location with all that lies in it, or an item was frozen."""

    name: ClassVar[str] = "inventory.stock-frozen.v1"
    subject_of: ClassVar[tuple[str, str]] = ("freeze", "freeze_id")
    freeze_id: UUID
    scope: str
    item_id: UUID | None
    location_id: UUID | None
    reason: str


class FreezeLifted(Entry):
    """A freeze was lifted."""

    name: ClassVar[str] = "inventory.freeze-lifted.v1"
    subject_of: ClassVar[tuple[str, str]] = ("freeze", "freeze_id")
    freeze_id: UUID
    note: str | None
