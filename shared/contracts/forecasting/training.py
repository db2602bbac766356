"""What forecasting journals of training jobs."""

from typing import ClassVar, Literal
from uuid import UUID

from shared.journal import Entry


class _AboutJob(Entry):
    subject_of: ClassVar = ("job", "job_id")
    job_id: UUID


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
