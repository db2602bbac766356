"""What forecasting writes to its journal, for others to follow."""

from typing import ClassVar, Literal
from uuid import UUID

from shared.journal import Entry


class _AboutJob(Entry):
    job_id: UUID

    @property
    def subject(self) -> str:
        return f"job:{self.job_id}"


class TrainingRequested(_AboutJob):
    name: ClassVar[str] = "forecasting.training-requested.v1"
    model_type: str
    training_days: int
    forecast_periods: int
    codes: list[str]  # Of the items to train.


class TrainingFailed(_AboutJob):
    """An item of a job has no new model; the job goes on."""

    name: ClassVar[str] = "forecasting.training-failed.v1"
    item_id: UUID
    code: str
    reason: str


class JobFinished(_AboutJob):
    name: ClassVar[str] = "forecasting.job-finished.v1"
    state: Literal["succeeded", "failed"]
    total: int
    failed: int


class JobCancelled(_AboutJob):
    name: ClassVar[str] = "forecasting.job-cancelled.v1"
    done: int
    total: int


class _AboutModel(Entry):
    model_id: UUID
    item_id: UUID
    code: str
    version: int

    @property
    def subject(self) -> str:
        return f"model:{self.model_id}"


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
