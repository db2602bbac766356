"""Movements in the database: applying them, and reading the ledger."""

from services.inventory.movements.queries.apply import Line, Outcome, apply
from services.inventory.movements.queries.ledger import LedgerRow, find_movement, list_movements

__all__ = ["LedgerRow", "Line", "Outcome", "apply", "find_movement", "list_movements"]
