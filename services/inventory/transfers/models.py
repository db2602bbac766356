from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class Transfer(Base):
    """Stock of one item on its way from one location to another, by way of one of type transit.

    While it is there it counts as reserved: the level holds it, and nobody can take it.
    """

    __tablename__ = "transfers"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("items.id"))
    from_id: Mapped[UUID] = mapped_column(ForeignKey("locations.id"))
    to_id: Mapped[UUID] = mapped_column(ForeignKey("locations.id"))
    via_id: Mapped[UUID] = mapped_column(ForeignKey("locations.id"))
    quantity: Mapped[Decimal]  # Dispatched, in stock units.
    given_quantity: Mapped[Decimal | None]  # The same as it was given, in given_unit.
    given_unit: Mapped[str | None]  # Null where none was named: stock units.
    arrived: Mapped[Decimal] = mapped_column(default=Decimal(0))  # Of it, by now.
    added: Mapped[Decimal] = mapped_column(default=Decimal(0))  # What came beside it.
    received: Mapped[Decimal | None]  # Both, in the end; None while it is in transit.
    returned: Mapped[Decimal | None]  # To where it left, once it was cancelled; None otherwise.
    reference: Mapped[str | None]
    dispatched_at: Mapped[datetime]
    dispatched_by: Mapped[str]  # The actor.
    expected_at: Mapped[datetime | None]  # When it should arrive; None where nobody has said.
    received_at: Mapped[datetime | None]
    received_by: Mapped[str | None]
    reason: Mapped[str | None]  # Of a difference.
    missing_serials: Mapped[list[str]] = mapped_column(ARRAY(Text))
    version: Mapped[int] = mapped_column(default=1)


class TransferPart(Base):
    """What a transfer carries of one lot, of one serial, or of no lot."""

    __tablename__ = "transfer_parts"

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("transfers.id"), primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    quantity: Mapped[Decimal]  # Dispatched, in stock units.
    arrived: Mapped[Decimal]  # Of it, by now.
