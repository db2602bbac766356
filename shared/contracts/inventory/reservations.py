"""What inventory journals of reservations."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel

from shared.journal import Entry


class Held(BaseModel):
    """So many stock units of an item at a location, of one lot or serial where it has such."""

    item_id: UUID
    location_id: UUID
    lot_id: UUID | None = None
    quantity: Decimal


class StockReserved(Entry):
    """Stock was promised to somebody until a time."""

    name: ClassVar[str] = "inventory.stock-reserved.v1"
    subject_of: ClassVar[tuple[str, str]] = ("reservation", "reservation_id")
    reservation_id: UUID
    reference: str | None
    expires_at: datetime
    lines: list[Held]


class ReservationCommitted(Entry):
    """What was held, or part of it, went out by these movements."""

    name: ClassVar[str] = "inventory.reservation-committed.v1"
    subject_of: ClassVar[tuple[str, str]] = ("reservation", "reservation_id")
    reservation_id: UUID
    movements: list[UUID]


class ReservationReleased(Entry):
    """What was held, or part of it, is anybody's again."""

    name: ClassVar[str] = "inventory.reservation-released.v1"
    subject_of: ClassVar[tuple[str, str]] = ("reservation", "reservation_id")
    reservation_id: UUID
    lines: list[Held]


class ReservationExtended(Entry):
    """A reservation ends at another time."""

    name: ClassVar[str] = "inventory.reservation-extended.v1"
    subject_of: ClassVar[tuple[str, str]] = ("reservation", "reservation_id")
    reservation_id: UUID
    expires_at: datetime


class ReservationExpired(Entry):
    """What was still held when the time was over is anybody's again.

    Written by the statement that gives it back, which finds levels, not reservations: one that
    holds at several may have several entries.
    """

    name: ClassVar[str] = "inventory.reservation-expired.v1"
    subject_of: ClassVar[tuple[str, str]] = ("reservation", "reservation_id")
    reservation_id: UUID
    lines: list[Held]
