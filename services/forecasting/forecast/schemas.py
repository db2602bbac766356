from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from services.forecasting.models.schemas import AccuracyRead, AssumptionRead
from shared.schemas import Output


class ForecastModel(Output):
    """The model that made the forecast."""

    id: UUID
    version: int
    model_type: str
    beats_baseline: bool = Field(description="Whether it was better than seasonal naive.")
    train_from: date
    train_to: date
    created_at: datetime


class ForecastPoint(Output):
    """Expected demand of one day in stock units, and where it lies 80 and 95 times in 100."""

    date: date
    mean: float
    lower_80: float
    upper_80: float
    lower_95: float
    upper_95: float


class ForecastRead(Output):
    """What will be used of an item, day by day, and how good the model is."""

    item_code: str
    model: ForecastModel
    points: list[ForecastPoint]
    accuracy: AccuracyRead
    baseline: AccuracyRead = Field(description="Seasonal naive on the same days.")
    assumptions: list[AssumptionRead] = Field(
        description="What the history does not say, and the forecast takes for granted."
    )
