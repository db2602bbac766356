from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class Job(Base):
    """The training of some items, and how far it got."""

    __tablename__ = "jobs"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    state: Mapped[str]
    model_type: Mapped[str]
    training_days: Mapped[int]
    forecast_periods: Mapped[int]  # Days.
    country: Mapped[str | None]  # ISO 3166 alpha-2, whose public holidays count.
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)  # Of those done.
    actor: Mapped[str]
    request_id: Mapped[str]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class JobItem(Base):
    """One item of a job: what an entry of the queue stands for."""

    __tablename__ = "job_items"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"))
    item_id: Mapped[UUID]
    item_code: Mapped[str]
    state: Mapped[str]
    queue_id: Mapped[int] = mapped_column(BigInteger)
    crashes: Mapped[int] = mapped_column(default=0)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
