from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base


class Level(Base):
    """What lies of one lot of an item at one place, in stock units.

    A serial is a lot of one unit: of it 0 or 1 lies there, and 1 at one place alone.
    Written by this feature's SQL alone.
    """

    __tablename__ = "levels"

    item_id: Mapped[UUID] = mapped_column(ForeignKey("items.id"), primary_key=True)
    location_id: Mapped[UUID] = mapped_column(ForeignKey("locations.id"), primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    on_hand: Mapped[Decimal]
    reserved: Mapped[Decimal]  # Part of on hand.
    moved_at: Mapped[datetime | None]  # When its latest movement happened.
    holds_until: Mapped[datetime | None]  # Nothing that is reserved expires before.
    is_serial: Mapped[bool]
    serial_id: Mapped[UUID | None]  # The lot, where it is a serial and lies there.


class Movement(Base):
    """One row of the ledger: a change of one level. All those of one movement have its id."""

    __tablename__ = "movements"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    id: Mapped[UUID]
    leg: Mapped[int] = mapped_column(SmallInteger)  # From 0, which is where it begins.
    kind: Mapped[str]
    item_id: Mapped[UUID]
    location_id: Mapped[UUID]
    lot_id: Mapped[UUID]
    quantity: Mapped[Decimal]  # Signed, in stock units.
    balance_after: Mapped[Decimal]  # On hand after it, in the order of recording.
    given_quantity: Mapped[Decimal | None]  # As it was asked for, in given_unit.
    given_unit: Mapped[str | None]  # Null where none was named: stock units.
    reverses: Mapped[UUID | None]  # The movement that it undid.
    part_of: Mapped[UUID | None]  # Of a kit's assembly: the kit's own movement.
    cost_id: Mapped[UUID | None]  # The unit cost at the time, a row of prices.
    reason_code: Mapped[str | None]
    reason: Mapped[str | None]
    reference: Mapped[str | None]
    actor: Mapped[str]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    backdated: Mapped[bool]  # Recorded after a later one of its level.


class Reversal(Base):
    """That one movement was undone by another; each is undone once."""

    __tablename__ = "reversals"

    movement_id: Mapped[UUID] = mapped_column(primary_key=True)
    reversal_id: Mapped[UUID]
