from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base


class Opening(Base):
    """That the ledger rows recorded in a month left it: written as they do, and never changed."""

    __tablename__ = "openings"

    month: Mapped[date] = mapped_column(primary_key=True)  # Its first day.
    movements: Mapped[int]  # How many rows there were.
    since: Mapped[datetime]  # From when on the ledger can be asked: none of them happened later.


class OpeningBalance(Base):
    """What the ledger rows of a month that left came to at one level."""

    __tablename__ = "opening_balances"

    month: Mapped[date] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    location_id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    quantity: Mapped[Decimal]  # What came less what left, in stock units.
    movements: Mapped[int]
    first_at: Mapped[datetime]  # When the first of them happened, and the last.
    last_at: Mapped[datetime]
    counted_at: Mapped[datetime | None]  # Of the last count correction that was not undone.
