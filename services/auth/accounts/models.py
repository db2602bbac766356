from datetime import datetime
from uuid import UUID

from sqlalchemy import FetchedValue, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.auth.accounts.rules import Kind
from shared.db import Base
from shared.ids import new_id


class Errand(Base):
    """What somebody unknown asked for, to be done by the worker: so the answer tells nothing."""

    __tablename__ = "errands"

    tenant_id: Mapped[UUID] = mapped_column(server_default=FetchedValue())
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[Kind] = mapped_column(Text)
    asked_sealed: Mapped[bytes]  # JSON.
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
