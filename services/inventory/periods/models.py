from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class Period(Base):
    """The days since the period before it, until `last_day`, in which nothing is recorded."""

    __tablename__ = "periods"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    last_day: Mapped[date]  # In UTC.
    closed_at: Mapped[datetime]
    closed_by: Mapped[str]  # The actor.
    note: Mapped[str | None]
    reopened_at: Mapped[datetime | None]  # None while it is closed.
    reopened_by: Mapped[str | None]
    reason: Mapped[str | None]  # Why it was reopened.
