from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from services.forecasting.consumption.schemas import ItemCode
from services.forecasting.models.rules import AssumptionCode, Status
from shared.pagination import PageQuery
from shared.schemas import Output


class AccuracyRead(Output):
    """Backtest errors as ratios (0.2 is 20 %); null where a measure is not defined."""

    mape: float | None
    wape: float | None
    mase: float | None
    rmsse: float | None
    bias: float | None
    weekly_mape: float | None = Field(description="Of weekly sums.")
    total_mape: float | None = Field(description="Of the sums over the backtest's horizon.")
    coverage_80: float | None = Field(description="Share of days inside the 80 % interval.")
    coverage_95: float | None


class AssumptionRead(Output):
    """What a forecast assumes because the history does not say it."""

    code: AssumptionCode
    message: str = Field(examples=["Days without a sale count as days without demand."])


class ModelSummary(Output):
    """One version of what was learned of an item."""

    id: UUID
    entity_id: str = Field(description="Code of the item.", examples=["SPAGHETTI-500"])
    model_type: str
    version: int
    status: Status
    accuracy_metrics: AccuracyRead
    beats_baseline: bool = Field(description="Whether it was better than seasonal naive.")
    train_from: date
    train_to: date
    created_at: datetime


class ModelRead(ModelSummary):
    """A model with how it came about."""

    requested: str = Field(description="What the training asked for.", examples=["auto"])
    weights: dict[str, float] = Field(
        description="The methods it combines.", examples=[{"theta": 1.0}]
    )
    baseline: AccuracyRead = Field(description="Seasonal naive on the same days.")
    demand_class: str = Field(examples=["smooth"])
    usable_days: int
    backtest_origins: int
    backtest_horizon: int
    candidates: dict[str, float] = Field(
        description="Score of each method tried; 1 is their median, lower is better.",
        examples=[{"theta": 0.92, "ets": 1.05}],
    )
    failures: dict[str, str] = Field(description="Why other methods were left out.", examples=[{}])
    assumptions: list[AssumptionRead]
    data_hash: str = Field(
        description="SHA-256 of the demand it was trained on.",
        examples=["200e59a8b54b954745815d0faf6f06a6b8ccbecd44b6fd13ce94b77eac17364a"],
    )
    training_seconds: float


class ModelQuery(PageQuery):
    """Which models to list; null means any."""

    item_code: ItemCode | None = Field(default=None, description="Of this item only: code or id.")
    status: Status | None = Field(default=None, description="In this state only.")


class ModelPage(Output):
    """One page of models; `next_cursor` is null on the last."""

    models: list[ModelSummary]  # Not `items`: so it was published.
    next_cursor: str | None
