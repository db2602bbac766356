from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base


class Kit(Base):
    """An item that is made of others."""

    __tablename__ = "kits"

    item_id: Mapped[UUID] = mapped_column(ForeignKey("items.id"), primary_key=True)
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class KitComponent(Base):
    """How much of an item one stock unit of a kit takes, in stock units of that item."""

    __tablename__ = "kit_components"

    kit_id: Mapped[UUID] = mapped_column(ForeignKey("kits.item_id"), primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("items.id"), primary_key=True)
    quantity: Mapped[Decimal]
