"""Changing stock: the only way, for movements and for every other feature that moves something."""

from services.inventory.ledger.queries import (
    KeptAnswer,
    LedgerRow,
    Leg,
    Locked,
    MovementFilter,
    StockFilter,
    claim_reversal,
    find_movement_at,
    find_reversal,
    get_recorded,
    is_counted,
    list_legs,
    list_parts,
    sum_issued_under,
)
from services.inventory.ledger.service.batching import Batcher, apply_group
from services.inventory.ledger.service.explaining import find_next_receipt
from services.inventory.ledger.service.holding import (
    give_back,
    hold_until,
    lock_levels,
    lock_places,
)
from services.inventory.ledger.service.many import apply, foresee
from services.inventory.ledger.service.read import (
    find_movement,
    list_movements,
    list_stock,
    stock_as_of,
)
from services.inventory.ledger.service.recording import apply_changes
from services.inventory.ledger.service.refusals import problem_of, require_granted
from services.inventory.ledger.service.units import in_stock_units

__all__ = [
    "Batcher",
    "KeptAnswer",
    "LedgerRow",
    "Leg",
    "Locked",
    "MovementFilter",
    "StockFilter",
    "apply",
    "apply_changes",
    "apply_group",
    "claim_reversal",
    "find_movement",
    "find_movement_at",
    "find_next_receipt",
    "find_reversal",
    "foresee",
    "get_recorded",
    "give_back",
    "hold_until",
    "in_stock_units",
    "is_counted",
    "list_legs",
    "list_movements",
    "list_parts",
    "list_stock",
    "lock_levels",
    "lock_places",
    "problem_of",
    "require_granted",
    "stock_as_of",
    "sum_issued_under",
]
