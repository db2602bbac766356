from datetime import date, datetime
from uuid import UUID

from sqlalchemy import FetchedValue
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class LegalHold(Base):
    """What retention must not remove until two people have lifted it; never deleted."""

    __tablename__ = "legal_holds"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str | None]  # None: of every kind.
    first_day: Mapped[date | None]  # None: from the first there is.
    last_day: Mapped[date | None]
    reason: Mapped[str]
    placed_by: Mapped[UUID]
    placed_at: Mapped[datetime]
    lift_reason: Mapped[str | None]
    lift_asked_by: Mapped[UUID | None]
    lift_asked_at: Mapped[datetime | None]
    lifted_by: Mapped[UUID | None]  # Never who asked.
    lifted_at: Mapped[datetime | None]
