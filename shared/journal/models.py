from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class JournalRow(Base):
    """One line of this service's journal; the database adds order, tenant and time."""

    __tablename__ = "journal"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    actor: Mapped[str]
    request_id: Mapped[str]
    type: Mapped[str]
    subject: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


class FollowerCursor(Base):
    """How far this service has applied another's journal."""

    __tablename__ = "follower_cursors"

    producer: Mapped[str] = mapped_column(primary_key=True)
    xid: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]  # When its follower last had nothing left, or got on.
