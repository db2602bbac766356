"""What is wished of items at single locations, which are low by that, and what may be promised."""

from services.inventory.planning.service.low import list_low_stock
from services.inventory.planning.service.promising import get_promise
from services.inventory.planning.service.wished import (
    get_planning,
    list_planning,
    put_planning,
    remove_planning,
)

__all__ = [
    "get_planning",
    "get_promise",
    "list_low_stock",
    "list_planning",
    "put_planning",
    "remove_planning",
]
