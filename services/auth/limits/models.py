from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base


class TenantLimit(Base):
    """How much a tenant may ask for, where the platform's administrator has said so."""

    __tablename__ = "tenant_limits"

    id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id"), primary_key=True)  # The tenant's.
    requests_per_minute: Mapped[int]
    changed_at: Mapped[datetime]
