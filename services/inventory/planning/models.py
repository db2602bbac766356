from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base


class Planning(Base):
    """What is wished of an item at one location; null is as the item says."""

    __tablename__ = "planning"

    item_id: Mapped[UUID] = mapped_column(ForeignKey("items.id"), primary_key=True)
    location_id: Mapped[UUID] = mapped_column(
        ForeignKey("locations.id", ondelete="CASCADE"), primary_key=True
    )
    par_level: Mapped[Decimal | None]  # All in stock units.
    reorder_point: Mapped[Decimal | None]
    reorder_quantity: Mapped[Decimal | None]
    maximum: Mapped[Decimal | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
