"""From bodies to changes of the ledger, and from what became of them to answers."""

from services.inventory.movements.service.approving import apply_approved_movements
from services.inventory.movements.service.bulk import record_bulk
from services.inventory.movements.service.recording import (
    Origin,
    get_movement,
    list_movements,
    list_reason_codes,
    record_movement,
    record_weighed,
    try_movement,
)
from services.inventory.movements.service.reversing import (
    apply_approved_reversal,
    reverse_movement,
)

__all__ = [
    "Origin",
    "apply_approved_movements",
    "apply_approved_reversal",
    "get_movement",
    "list_movements",
    "list_reason_codes",
    "record_bulk",
    "record_movement",
    "record_weighed",
    "reverse_movement",
    "try_movement",
]
