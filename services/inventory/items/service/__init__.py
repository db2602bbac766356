"""Adding, changing, retiring and finding items."""

from services.inventory.items.service.reading import (
    get_item,
    list_items,
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

__all__ = [
    "add_item",
    "change_item",
    "get_item",
    "list_items",
    "lock_item",
    "replace_item",
    "retire_item",
    "search_items",
    "to_read",
]
