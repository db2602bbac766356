from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base


class ItemLot(Base):
    """Units of an item that came with one code; of an item with serials, the one with its number.

    Added by the ledger, with its first receipt.
    """

    __tablename__ = "lots"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("items.id"))
    code: Mapped[str]  # As typed first.
    key: Mapped[str]  # One for all spellings; see shared.identifiers.
    expires_on: Mapped[date | None]  # The last day, by UTC, on which it may be issued.
    received_at: Mapped[datetime]  # When the receipt that named it first happened.
    version: Mapped[int] = mapped_column(default=1)
