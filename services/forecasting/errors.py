"""What forecasting refuses, and why."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from shared.errors import Conflict, NotFound, Unprocessable
from shared.i18n import N_


@dataclass(eq=False)
class ItemNotFound(NotFound):
    slug: ClassVar[str] = "item-not-found"
    title: ClassVar[str] = N_("Item not found")
    detail: ClassVar[str] = N_("There is no item {item}.")
    item: str


@dataclass(eq=False)
class InvalidWindow(Unprocessable):
    slug: ClassVar[str] = "invalid-window"
    title: ClassVar[str] = N_("Invalid window of days")
    detail: ClassVar[str] = N_("Give a first day not after the last, and at most {days_max} days.")
    days_max: int


@dataclass(eq=False)
class NothingToTrain(Unprocessable):
    """`top` was asked for, but nothing was issued in the training days."""

    slug: ClassVar[str] = "nothing-to-train"
    title: ClassVar[str] = N_("Nothing to train")
    detail: ClassVar[str] = N_("No item was issued in the last {training_days} days.")
    training_days: int


@dataclass(eq=False)
class TrainingDisabled(Conflict):
    slug: ClassVar[str] = "training-disabled"
    title: ClassVar[str] = N_("Training is switched off")
    detail: ClassVar[str] = N_("Training is switched off on this installation.")


@dataclass(eq=False)
class JobNotFound(NotFound):
    slug: ClassVar[str] = "job-not-found"
    title: ClassVar[str] = N_("Job not found")
    detail: ClassVar[str] = N_("There is no job {job}.")
    job: str


@dataclass(eq=False)
class JobFinished(Conflict):
    slug: ClassVar[str] = "job-finished"
    title: ClassVar[str] = N_("Job already finished")
    detail: ClassVar[str] = N_("The job is finished and cannot be cancelled any more.")


@dataclass(eq=False)
class ModelNotFound(NotFound):
    slug: ClassVar[str] = "model-not-found"
    title: ClassVar[str] = N_("Model not found")
    detail: ClassVar[str] = N_("There is no model {model}.")
    model: str


@dataclass(eq=False)
class NotTrained(NotFound):
    """The item exists, but no model of it is active."""

    slug: ClassVar[str] = "not-trained"
    title: ClassVar[str] = N_("No forecast yet")
    detail: ClassVar[str] = N_("No model of {item} is active. Train it first.")
    item: str


@dataclass(eq=False)
class ForecastExpired(Conflict):
    """The model's forecast does not reach the present day any more."""

    slug: ClassVar[str] = "forecast-expired"
    title: ClassVar[str] = N_("Forecast out of date")
    detail: ClassVar[str] = N_("The forecast of {item} ended on {last_day}. Train it again.")
    item: str
    last_day: date


@dataclass(eq=False)
class LocationUnsupported(Unprocessable):
    """Forecasts are made for all locations of an item together."""

    slug: ClassVar[str] = "location-unsupported"
    title: ClassVar[str] = N_("No forecasts by location")
    detail: ClassVar[str] = N_(
        "Forecasts are made for all locations of an item together. Leave out the location."
    )
