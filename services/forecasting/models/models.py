from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Float
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import Base
from shared.ids import new_id


class Model(Base):
    """One version of what was learned of an item; only its status ever changes."""

    __tablename__ = "models"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    item_id: Mapped[UUID]
    item_code: Mapped[str]
    version: Mapped[int]
    status: Mapped[str]
    model_type: Mapped[str]  # The method kept, "combination" or "no_demand".
    requested: Mapped[str]
    weights: Mapped[dict[str, float]] = mapped_column(JSONB)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB, deferred=True)  # See methods.model.
    data_hash: Mapped[str]
    train_from: Mapped[date]
    train_to: Mapped[date]
    usable_days: Mapped[int]
    demand_class: Mapped[str]
    origins: Mapped[int]
    backtest_horizon: Mapped[int]  # Days.
    accuracy: Mapped[dict[str, float | None]] = mapped_column(JSONB)
    baseline: Mapped[dict[str, float | None]] = mapped_column(JSONB)
    beats_baseline: Mapped[bool]
    candidates: Mapped[dict[str, float]] = mapped_column(JSONB)
    failures: Mapped[dict[str, str]] = mapped_column(JSONB)
    assumptions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)  # See methods.assumptions.
    duration_s: Mapped[float] = mapped_column(Float)
    job_item_id: Mapped[UUID]
    created_at: Mapped[datetime]


class StoredForecast(Base):
    """The forecast that a model made when it was trained."""

    __tablename__ = "forecasts"

    model_id: Mapped[UUID] = mapped_column(primary_key=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    points: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    sum_error_variance: Mapped[list[float]] = mapped_column(ARRAY(Float))  # Over 1, 2, ... days.
