"""What inventory journals of items."""

from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, Field

from shared.journal import Entry


class PackSaved(BaseModel):
    """A unit that an item comes in, the stock units in it, and the barcodes printed on it."""

    unit: str
    quantity: Decimal
    barcodes: list[str]


class ItemSaved(Entry):
    """An item as it stands after it was added, changed or retired."""

    name: ClassVar[str] = "inventory.item-saved.v1"
    subject_of: ClassVar[tuple[str, str]] = ("item", "item_id")
    item_id: UUID
    code: str
    name_en: str
    name_fr: str
    barcodes: list[str] = Field(default_factory=list)  # As printed, in order.
    category: str | None  # The name it had then, in English if it has one.
    category_id: UUID | None = None
    unit: str
    packs: list[PackSaved] = Field(default_factory=list)
    pack_size: Decimal  # Of the pack that it is ordered in.
    pack_unit: str | None
    par_level: Decimal | None
    reorder_point: Decimal | None
    reorder_quantity: Decimal | None
    maximum: Decimal | None = None
    lead_time_days: int | None
    attributes: dict[str, Any] = Field(default_factory=dict)
    cost_id: UUID | None
    active: bool
    tracking: str = "none"  # Or "lot", or "serial".
    changed: list[str]  # The fields that differ from before; empty for a new item.
