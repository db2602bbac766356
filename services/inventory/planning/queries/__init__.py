"""What is wished of items, which are low by it, and what may be promised of them."""

from services.inventory.planning.queries.low import list_low, list_low_at
from services.inventory.planning.queries.promises import (
    list_expected,
    list_holds_ending,
    list_supply,
)
from services.inventory.planning.queries.use import Used, list_under_way, sum_use
from services.inventory.planning.queries.wished import list_planning, lock_planning

__all__ = [
    "Used",
    "list_expected",
    "list_holds_ending",
    "list_low",
    "list_low_at",
    "list_planning",
    "list_supply",
    "list_under_way",
    "lock_planning",
    "sum_use",
]
