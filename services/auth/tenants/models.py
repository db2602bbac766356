from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class Tenant(Base):
    """One customer of this installation; the rows of all services belong to one."""

    __tablename__ = "tenants"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str]  # The name in sign-ins, unique.
    name: Mapped[str]
    language: Mapped[str]
    currency: Mapped[str]  # ISO 4217.
    created_at: Mapped[datetime]
