"""What inventory journals of lots; a new one stands in the entry of its first receipt."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from shared.journal import Entry


class LotSaved(Entry):
    """The expiry of a lot was corrected; null is no expiry."""

    name: ClassVar[str] = "inventory.lot-saved.v1"
    subject_of: ClassVar[tuple[str, str]] = ("item", "item_id")
    item_id: UUID
    lot_id: UUID
    lot: str
    expires_on: date | None
    expires_on_before: date | None
