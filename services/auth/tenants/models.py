from datetime import datetime
from uuid import UUID

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from services.auth.tenants.rules import Registration
from services.auth.users.rules import Language
from shared.db import Base
from shared.ids import new_id


class Tenant(Base):
    """One customer of this installation; the rows of all services belong to one."""

    __tablename__ = "tenants"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str]  # The name in sign-ins, unique.
    name: Mapped[str]
    language: Mapped[Language] = mapped_column(Text)  # Of members who have set none.
    currency: Mapped[str]  # ISO 4217; never changes, since no amount carries its own.
    country: Mapped[str | None]  # ISO 3166-1, two letters.
    time_zone: Mapped[str] = mapped_column(default="UTC")  # IANA.
    registration: Mapped[Registration] = mapped_column(Text, default="invite")
    two_factor_required: Mapped[bool] = mapped_column(default=False)  # Of all, not just of admins.
    version: Mapped[int] = mapped_column("revision", default=1)
    created_at: Mapped[datetime]
