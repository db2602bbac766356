"""Changing stock: the only way, for movements and for every other feature that moves something."""

from services.inventory.ledger.queries import (
    KeptAnswer,
    LedgerRow,
    Leg,
    MovementFilter,
    claim_reversal,
    get_recorded,
    list_legs,
)
from services.inventory.ledger.service.batching import Batcher, apply_group
from services.inventory.ledger.service.many import apply
from services.inventory.ledger.service.read import find_movement, list_movements, stock_as_of
from services.inventory.ledger.service.recording import apply_changes
from services.inventory.ledger.service.refusals import problem_of

__all__ = [
    "Batcher",
    "KeptAnswer",
    "LedgerRow",
    "Leg",
    "MovementFilter",
    "apply",
    "apply_changes",
    "apply_group",
    "claim_reversal",
    "find_movement",
    "get_recorded",
    "list_legs",
    "list_movements",
    "problem_of",
    "stock_as_of",
]
