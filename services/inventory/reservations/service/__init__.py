"""Holding stock for somebody, and letting it go out or free again.

Levels are locked before anything of a reservation is read, in the order in which movements lock
them; its own rows need no lock, since they change only under these.
"""

from services.inventory.reservations.service.ending import (
    expire_due,
    extend,
    issue,
    list_due_tenants,
    release,
)
from services.inventory.reservations.service.reading import get_reservation, list_reservations
from services.inventory.reservations.service.reserving import (
    Reserved,
    note_reservation,
    reserve_group,
    size_of,
    try_reservation,
)
from services.inventory.reservations.service.spreading import Asking

__all__ = [
    "Asking",
    "Reserved",
    "expire_due",
    "extend",
    "get_reservation",
    "issue",
    "list_due_tenants",
    "list_reservations",
    "note_reservation",
    "release",
    "reserve_group",
    "size_of",
    "try_reservation",
]
