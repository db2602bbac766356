"""Changing stock: the only way, for movements and for every other feature that moves something."""

from services.inventory.ledger.queries import (
    KeptAnswer,
    LedgerRow,
    Leg,
    Locked,
    MovementFilter,
    StockFilter,
    claim_reversal,
    find_kept,
    find_movement_at,
    find_reversal,
    get_recorded,
    is_counted,
    list_legs,
    list_parts,
    sum_issued_under,
)
from services.inventory.ledger.service.batching import (
    Batcher,
    apply_group,
    in_group,
    note_movement,
)
from services.inventory.ledger.service.dating import find_open_from
from services.inventory.ledger.service.explaining import explained, list_next_receipts
from services.inventory.ledger.service.holding import (
    give_back,
    hold_until,
    lock_levels,
    write_held,
)
from services.inventory.ledger.service.locking import lock_all
from services.inventory.ledger.service.many import apply, foresee
from services.inventory.ledger.service.off_loop import off_loop
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
    "explained",
    "find_kept",
    "find_movement",
    "find_movement_at",
    "find_open_from",
    "find_reversal",
    "foresee",
    "get_recorded",
    "give_back",
    "hold_until",
    "in_group",
    "in_stock_units",
    "is_counted",
    "list_legs",
    "list_movements",
    "list_next_receipts",
    "list_parts",
    "list_stock",
    "lock_all",
    "lock_levels",
    "note_movement",
    "off_loop",
    "problem_of",
    "require_granted",
    "stock_as_of",
    "sum_issued_under",
    "write_held",
]
