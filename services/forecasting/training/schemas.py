from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AliasChoices, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.forecasting.consumption.schemas import ItemCode
from services.forecasting.models.schemas import AccuracyRead
from services.forecasting.training.rules import (
    FORECAST_PERIODS_DEFAULT,
    FORECAST_PERIODS_MAX,
    ITEMS_MAX,
    TRAINING_DAYS_DEFAULT,
    TRAINING_DAYS_MAX,
    TRAINING_DAYS_MIN,
    ErrorCode,
    ModelType,
    State,
)
from shared.i18n import N_
from shared.schemas import Input, Output, Page


class TrainingCreate(Input):
    """What to train: exactly one of item_code, item_codes and top."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"item_code": "SPAGHETTI-500"}]})

    item_code: ItemCode | None = None
    item_codes: Annotated[list[ItemCode], Field(min_length=1, max_length=ITEMS_MAX)] | None = None
    top: int | None = Field(
        default=None, ge=1, le=ITEMS_MAX, description="So many items, those issued most."
    )
    model_type: ModelType | None = Field(
        default=None, description="The installation's default, `auto`, unless given."
    )
    training_days: int = Field(
        default=TRAINING_DAYS_DEFAULT,
        ge=TRAINING_DAYS_MIN,
        le=TRAINING_DAYS_MAX,
        validation_alias=AliasChoices("training_days", "trainingDays"),
        description="Days of history to learn from, also accepted as `trainingDays`.",
    )
    forecast_periods: int = Field(
        default=FORECAST_PERIODS_DEFAULT,
        ge=1,
        le=FORECAST_PERIODS_MAX,
        validation_alias=AliasChoices("forecast_periods", "forecastPeriods"),
        description="Days to forecast, also accepted as `forecastPeriods`.",
    )
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = Field(
        default=None,
        description="ISO 3166 code of the country whose public holidays count.",
        examples=["IT"],
    )

    @model_validator(mode="after")
    def _has_one_selector(self) -> Self:
        if sum(v is not None for v in (self.item_code, self.item_codes, self.top)) != 1:
            raise PydanticCustomError(
                "one_selector", N_("Give exactly one of item_code, item_codes and top.")
            )
        return self

    @property
    def codes(self) -> list[str] | None:
        """Return the codes asked for, each once; None where `top` decides."""
        if self.item_code is not None:
            return [self.item_code]
        return list(dict.fromkeys(self.item_codes)) if self.item_codes is not None else None


class JobResult(Output):
    """The model that training an item brought."""

    item_code: str
    model_id: UUID
    version: int
    model_type: str
    accuracy_metrics: AccuracyRead
    beats_baseline: bool = Field(description="Whether it was better than seasonal naive.")


class JobError(Output):
    """Why an item has no new model."""

    item_code: str
    code: ErrorCode
    message: str = Field(examples=["There are too few days with sales to learn from."])


class JobSummary(Output):
    """How far a job got. `failed` is a job none of whose items could be trained."""

    id: UUID
    state: State
    progress: float = Field(ge=0, le=1)
    done: int = Field(description="Items finished, well or not.")
    total: int
    model_type: str
    training_days: int
    forecast_periods: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobRead(JobSummary):
    """A training job with what it brought and what failed."""

    results: list[JobResult]
    errors: list[JobError]


class JobPage(Page[JobSummary]): ...
