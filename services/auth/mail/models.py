from datetime import datetime
from uuid import UUID

from sqlalchemy import FetchedValue
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class MailRow(Base):
    """A mail that is still to be sent; sent ones are gone."""

    __tablename__ = "mails"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    mail_sealed: Mapped[bytes]
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
