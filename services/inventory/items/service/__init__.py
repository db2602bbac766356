"""Adding, changing, retiring and finding items."""

from services.inventory.items.service.reading import (
    get_item,
    get_named_items,
    list_items,
    measure,
    search_items,
    to_read,
)
from services.inventory.items.service.saving import (
    add_item,
    change_item,
    lock_item,
    replace_item,
    retire_item,
)
from services.inventory.items.service.units import units_of

__all__ = [
    "add_item",
    "change_item",
    "get_item",
    "get_named_items",
    "list_items",
    "lock_item",
    "measure",
    "replace_item",
    "retire_item",
    "search_items",
    "to_read",
    "units_of",
]
