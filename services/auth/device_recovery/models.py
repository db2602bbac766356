from datetime import datetime
from uuid import UUID

from sqlalchemy import FetchedValue
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class FactorRecovery(Base):
    """An administrator's word that a user lost his second factor; gone once it is decided."""

    __tablename__ = "factor_recoveries"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID]  # One for each.
    requested_by: Mapped[UUID]
    requester_tenant_id: Mapped[UUID]  # The platform's, where that had to help.
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime]
