"""What forecasting journals of models."""

from typing import ClassVar
from uuid import UUID

from shared.journal import Entry


class _AboutModel(Entry):
    subject_of: ClassVar = ("model", "model_id")
    model_id: UUID
    item_id: UUID
    code: str
    version: int


class ModelTrained(_AboutModel):
    """A new version, which is the active one from now on."""

    name: ClassVar[str] = "forecasting.model-trained.v1"
    model_type: str
    mape: float | None  # Of the backtest, as a ratio.
    beats_baseline: bool
    job_id: UUID


class ModelActivated(_AboutModel):
    """An earlier version makes the item's forecasts again."""

    name: ClassVar[str] = "forecasting.model-activated.v1"


class ModelArchived(_AboutModel):
    name: ClassVar[str] = "forecasting.model-archived.v1"
