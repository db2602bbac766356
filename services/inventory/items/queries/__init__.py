"""Items in the database: single rows, what names them, and lists with their stock."""

from services.inventory.items.queries.identifiers import (
    claim_keys,
    list_holders,
    list_labels,
    release_keys,
)
from services.inventory.items.queries.listing import list_items, search_items
from services.inventory.items.queries.rows import (
    NamedItem,
    StockTotal,
    count_active,
    find_item,
    has_moved,
    list_kits_of,
    list_named_items,
    lock_item,
    total_stock,
)

__all__ = [
    "NamedItem",
    "StockTotal",
    "claim_keys",
    "count_active",
    "find_item",
    "has_moved",
    "list_holders",
    "list_items",
    "list_kits_of",
    "list_labels",
    "list_named_items",
    "lock_item",
    "release_keys",
    "search_items",
    "total_stock",
]
