from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class Reservation(Base):
    """Stock that is promised to somebody until a time."""

    __tablename__ = "reservations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    reference: Mapped[str | None]
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]
    created_by: Mapped[str]  # The actor.


class ReservationHold(Base):
    """What a line of a reservation holds at one level, in stock units.

    Of `quantity`, what it was for, so much is still held, was committed, released, or has expired.
    Changed only by who holds the lock of the level.
    """

    __tablename__ = "reservation_holds"

    reservation_id: Mapped[UUID] = mapped_column(ForeignKey("reservations.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("items.id"))
    location_id: Mapped[UUID] = mapped_column(ForeignKey("locations.id"), primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    quantity: Mapped[Decimal]
    held: Mapped[Decimal]
    committed: Mapped[Decimal]
    released: Mapped[Decimal]
    expired: Mapped[Decimal]
    expires_at: Mapped[datetime]
