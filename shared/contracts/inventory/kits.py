"""What inventory journals of kits."""

from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel

from shared.journal import Entry


class KitPart(BaseModel):
    """How much of an item one stock unit of a kit takes, in stock units of that item."""

    item_id: UUID
    quantity: Decimal


class KitSaved(Entry):
    """What an item is made of from now on."""

    name: ClassVar[str] = "inventory.kit-saved.v1"
    subject_of: ClassVar[tuple[str, str]] = ("item", "item_id")
    item_id: UUID
    components: list[KitPart]


class KitRemoved(Entry):
    """An item is not made of others any more."""

    name: ClassVar[str] = "inventory.kit-removed.v1"
    subject_of: ClassVar[tuple[str, str]] = ("item", "item_id")
    item_id: UUID
