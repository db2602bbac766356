"""Kits: what they are made of, how many could be made, and making them."""

from services.inventory.kits.service.assembling import (
    Assembler,
    apply_approved_assembly,
    assemble_kit,
    disassemble_kit,
)
from services.inventory.kits.service.reading import (
    get_availability,
    get_kit,
    list_kits,
)
from services.inventory.kits.service.saving import add_kit, remove_kit, replace_kit

__all__ = [
    "Assembler",
    "add_kit",
    "apply_approved_assembly",
    "assemble_kit",
    "disassemble_kit",
    "get_availability",
    "get_kit",
    "list_kits",
    "remove_kit",
    "replace_kit",
]
