"""What inventory journals of what is wished of items at single locations."""

from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from shared.journal import Entry


class PlanningSaved(Entry):
    """What is wished of an item at a location; null is as the item says."""

    name: ClassVar[str] = "inventory.planning-saved.v1"
    subject_of: ClassVar[tuple[str, str]] = ("item", "item_id")
    item_id: UUID
    location_id: UUID
    par_level: Decimal | None
    reorder_point: Decimal | None
    reorder_quantity: Decimal | None
    maximum: Decimal | None


class PlanningRemoved(Entry):
    """An item's own values at a location were taken away: the item's hold there."""

    name: ClassVar[str] = "inventory.planning-removed.v1"
    subject_of: ClassVar[tuple[str, str]] = ("item", "item_id")
    item_id: UUID
    location_id: UUID
