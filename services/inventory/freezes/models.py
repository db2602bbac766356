from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class Freeze(Base):
    """A stop of all changes: of everything, of a location with what lies in it, or of an item.

    What a freeze in force covers says so itself, in `frozen_by` of items and locations, so that who
    changes it learns of it from the rows that he locks anyway.
    """

    __tablename__ = "freezes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    scope: Mapped[str]
    item_id: Mapped[UUID | None] = mapped_column(ForeignKey("items.id"))
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("locations.id"))
    reason: Mapped[str]
    frozen_at: Mapped[datetime]
    frozen_by: Mapped[str]  # The actor.
    lifted_at: Mapped[datetime | None]  # None while it is in force.
    lifted_by: Mapped[str | None]
    note: Mapped[str | None]  # Said when it was lifted.
