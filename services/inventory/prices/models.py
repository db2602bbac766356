from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base


class Price(Base):
    """A cost or price that was in force once; the amount is sealed for its own row."""

    __tablename__ = "prices"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("items.id"))
    kind: Mapped[str]
    source: Mapped[str]
    amount: Mapped[bytes] = mapped_column(LargeBinary)
