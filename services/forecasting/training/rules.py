"""What a training request may ask for, and what becomes of a job."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from services.forecasting.consumption.rules import NOTHING, DemandHistory
from shared.i18n import N_

ITEMS_MAX = 1000  # In one job.
TRAINING_DAYS_DEFAULT = 730
TRAINING_DAYS_MIN = 28
TRAINING_DAYS_MAX = 1825
FORECAST_PERIODS_DEFAULT = 56  # Days.
FORECAST_PERIODS_MAX = 365
CRASHES_MAX = 3  # So often may the process that fits an item die before the item is given up.


class ModelType(StrEnum):
    """What may be asked for: `auto`, or one method. A test holds it equal to the methods there."""

    AUTO = "auto"
    SEASONAL_NAIVE = "seasonal_naive"
    WINDOW_AVERAGE = "window_average"
    REGRESSION = "regression"
    TSB = "tsb"
    IMAPA = "imapa"
    PROPHET = "prophet"
    ARIMA = "arima"


class State(StrEnum):
    """The life of a job, and of each of its items."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in {State.SUCCEEDED, State.FAILED, State.CANCELLED}


class ErrorCode(StrEnum):
    """Why an item could not be trained."""

    NO_DATA = "no_data"
    TOO_LITTLE_DATA = "too_little_data"
    METHOD_FAILED = "method_failed"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    INTERNAL_ERROR = "internal_error"


MESSAGES: Mapping[ErrorCode, str] = {
    ErrorCode.NO_DATA: N_("The item was never moved in the training days."),
    ErrorCode.TOO_LITTLE_DATA: N_(
        "Usable days of demand: {usable_days}. At least {needed_days} are needed."
    ),
    ErrorCode.METHOD_FAILED: N_("The method found no usable fit for this item."),
    ErrorCode.TIMED_OUT: N_("Training took too long and was stopped."),
    ErrorCode.CRASHED: N_("The training process died several times."),
    ErrorCode.INTERNAL_ERROR: N_("A fault of ours; it is in the log under the job's id."),
}


def last_training_day(today: date) -> date:
    """Return the last day whose demand is complete."""
    return today - timedelta(days=1)


def progress(done: int, total: int) -> float:
    """Return the share of a job's items that are finished, from 0 to 1."""
    return round(done / total, 4)


def state_after(done: int, failed: int, total: int) -> State:
    """Return a running job's state; it failed only if every one of its items did."""
    if done < total:
        return State.RUNNING
    return State.FAILED if failed == total else State.SUCCEEDED


def training_request(
    key: str, model_type: str, periods: int, country: str | None, history: DemandHistory
) -> dict[str, Any]:
    """Return what `methods.training.fit_series` takes, as plain data."""
    return {
        "key": key,
        "model_type": model_type,
        "horizon": periods,
        "demand": {
            "first_day": history.first_day.isoformat(),
            "last_day": history.last_day.isoformat(),
            "quantity": {
                day.isoformat(): float(max(quantity, NOTHING))
                for day, quantity in history.quantity.items()
            },
            "censored": [day.isoformat() for day in history.stock_outs],
            "country": country,
        },
    }
