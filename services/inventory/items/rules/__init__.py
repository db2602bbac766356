"""What can be decided about items without a database."""

from services.inventory.items.rules.naming import (
    DESCRIBED_LENGTH_MAX,
    SECTION_LENGTH_MAX,
    SECTION_MARK,
    Doubt,
    Label,
    barcodes_of,
    doubts_of,
    in_order,
    labels_of,
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
    "DESCRIBED_LENGTH_MAX",
    "PACKS_MAX",
    "SECTION_LENGTH_MAX",
    "SECTION_MARK",
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
    "read_packs",
    "search_text",
    "stored_packs",
]
