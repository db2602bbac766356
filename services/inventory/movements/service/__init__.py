"""From bodies to changes of the ledger, and from what became of them to answers."""

from services.inventory.movements.service.recording import (
    Origin,
    list_movements,
    list_reason_codes,
    record_bulk,
    record_movement,
    try_movement,
)
from services.inventory.movements.service.reversing import reverse_movement

__all__ = [
    "Origin",
    "list_movements",
    "list_reason_codes",
    "record_bulk",
    "record_movement",
    "reverse_movement",
    "try_movement",
]
