"""The ledger in the database: locking what is touched, writing what was granted, reading it."""

from services.inventory.ledger.queries.as_of import StockFilter, list_stock, stock_as_of
from services.inventory.ledger.queries.elsewhere import list_elsewhere, list_next_receipts
from services.inventory.ledger.queries.holds import expire_holds, write_reserved
from services.inventory.ledger.queries.lock import (
    KeptAnswer,
    Locked,
    Pair,
    ensure_levels,
    find_kept,
    list_changes_since,
    lock,
)
from services.inventory.ledger.queries.lots import (
    add_lots,
    find_lots,
    list_whereabouts,
    lock_first_out,
    lock_levels,
    lock_serials,
)
from services.inventory.ledger.queries.read import (
    LedgerRow,
    MovementFilter,
    find_movement,
    find_movement_at,
    get_recorded,
    is_counted,
    list_movements,
    stock_now,
    sum_issued_under,
)
from services.inventory.ledger.queries.reversals import (
    Leg,
    claim_reversal,
    find_reversal,
    list_legs,
    list_parts,
)
from services.inventory.ledger.queries.write import LedgerEntry, write

__all__ = [
    "KeptAnswer",
    "LedgerEntry",
    "LedgerRow",
    "Leg",
    "Locked",
    "MovementFilter",
    "Pair",
    "StockFilter",
    "add_lots",
    "claim_reversal",
    "ensure_levels",
    "expire_holds",
    "find_kept",
    "find_lots",
    "find_movement",
    "find_movement_at",
    "find_reversal",
    "get_recorded",
    "is_counted",
    "list_changes_since",
    "list_elsewhere",
    "list_legs",
    "list_movements",
    "list_next_receipts",
    "list_parts",
    "list_stock",
    "list_whereabouts",
    "lock",
    "lock_first_out",
    "lock_levels",
    "lock_serials",
    "stock_as_of",
    "stock_now",
    "sum_issued_under",
    "write",
    "write_reserved",
]
