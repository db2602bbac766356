"""What inventory journals of refused callers."""

from typing import ClassVar

from shared.journal import AccessDenied


class InventoryDenied(AccessDenied):
    name: ClassVar[str] = "inventory.access-denied.v1"
