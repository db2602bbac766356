from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, FetchedValue, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class Count(Base):
    """A physical count of stock, from its opening until it is posted once, or cancelled."""

    __tablename__ = "counts"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    title: Mapped[str | None]
    scope: Mapped[dict[str, Any]] = mapped_column(JSONB)  # As `service.scopes.Scope` writes it.
    blind: Mapped[bool]
    tolerance_percent: Mapped[Decimal | None]  # Of what is expected.
    tolerance_quantity: Mapped[Decimal | None]  # In stock units.
    state: Mapped[str]
    last_line: Mapped[int]  # The highest number of a line.
    opened_at: Mapped[datetime]
    opened_by: Mapped[str]  # The actor.
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    reason: Mapped[str | None]  # Why it was cancelled.
    version: Mapped[int] = mapped_column(default=1)


class CountLine(Base):
    """One level that is to be counted, or was found although nothing was expected there."""

    __tablename__ = "count_lines"

    count_id: Mapped[UUID] = mapped_column(ForeignKey("counts.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)  # From 1, in the order of walking.
    item_id: Mapped[UUID] = mapped_column(ForeignKey("items.id"))
    location_id: Mapped[UUID] = mapped_column(ForeignKey("locations.id"))
    lot_id: Mapped[UUID]
    serial: Mapped[str | None]  # One that was never seen, of an id by `rules.unseen_serial`.
    found: Mapped[bool]  # It was not on the list at first.
    round: Mapped[int] = mapped_column(default=1)  # 2 once it is to be counted again.
    same_counter: Mapped[bool] = mapped_column(default=False)  # May count it again himself.
    counted: Mapped[Decimal | None]  # In stock units, by the entries of this round.
    counted_at: Mapped[datetime | None]
    disputed: Mapped[bool] = mapped_column(default=False)
    result: Mapped[str | None]  # What became of it when all was posted.
    expected: Mapped[Decimal | None]  # What lay there when it was counted, as posting found.
    moved: Mapped[bool | None]  # Whether it moved between the opening and the posting.
    movement_id: Mapped[UUID | None]


class CountEntry(Base):
    """What somebody said he counted, or took back; never changed."""

    __tablename__ = "count_entries"

    count_id: Mapped[UUID] = mapped_column(ForeignKey("counts.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)  # The client's, or else ours.
    seq: Mapped[int] = mapped_column(BigInteger, FetchedValue())  # In the order of arrival.
    number: Mapped[int]  # Of the line.
    round: Mapped[int]
    quantity: Mapped[Decimal | None]  # In stock units; null takes back what he said before.
    adds: Mapped[bool]  # To what was counted at other spots of the same place.
    given_quantity: Mapped[Decimal | None]  # As it was said, in given_unit.
    given_unit: Mapped[str | None]  # Null where none was named.
    counter: Mapped[str]  # The actor.
    counter_id: Mapped[UUID]  # The person.
    counted_at: Mapped[datetime]
    entered_at: Mapped[datetime]
