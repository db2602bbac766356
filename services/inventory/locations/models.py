from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class Location(Base):
    """A place where stock lies: a warehouse, a zone of one, or a bin."""

    __tablename__ = "locations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]  # As typed.
    name_key: Mapped[str]  # What it is looked up by; none is two locations'.
    type: Mapped[str]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("locations.id"))
    capacity: Mapped[Decimal | None]  # Stock units.
    active: Mapped[bool] = mapped_column(default=True)
    frozen_by: Mapped[UUID | None]  # The freeze that covers it; see freezes.
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
