"""What can be decided about items without a database."""

from services.inventory.items.rules.naming import (
    CATEGORY_MARK,
    SEARCH_TEXT_LENGTH_MAX,
    Doubt,
    Label,
    barcodes_of,
    doubts_of,
    in_order,
    labels_of,
    patterns,
    search_text,
)
from services.inventory.items.rules.units import (
    PACKS_MAX,
    Pack,
    Units,
    exact_product,
    find_pack,
    packs_of,
    read_packs,
    stored_packs,
)

__all__ = [
    "CATEGORY_MARK",
    "PACKS_MAX",
    "SEARCH_TEXT_LENGTH_MAX",
    "Doubt",
    "Label",
    "Pack",
    "Units",
    "barcodes_of",
    "doubts_of",
    "exact_product",
    "find_pack",
    "in_order",
    "labels_of",
    "packs_of",
    "patterns",
    "read_packs",
    "search_text",
    "stored_packs",
]
