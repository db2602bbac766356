from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.money import DecimalText
from shared.schemas import Output

Source = Literal["forecast", "reorder_point"]


class ForecastRecommendation(BaseModel):
    """What forecasting recommends for one item, as far as this report shows it."""

    model_config = ConfigDict(frozen=True)

    item_code: str
    name: str
    unit: str
    on_hand: DecimalText
    reorder_point: DecimalText
    safety_stock: DecimalText
    order_quantity: DecimalText
    order_by: date | None
    stock_out_date: date | None
    reason: str


class ForecastPage(BaseModel):
    """A page of forecasting's recommendations; it may be short while there is a `next_cursor`."""

    items: list[ForecastRecommendation]
    next_cursor: str | None


class ReorderRecommendationRead(Output):
    """An item to order, how much of it, and why."""

    item_code: str
    name: str
    unit: str
    on_hand: DecimalText
    reorder_point: DecimalText
    safety_stock: DecimalText | None = Field(description="Null without a forecast.")
    order_quantity: DecimalText = Field(description="Stock units.")
    order_by: date | None = Field(description="Null without a forecast.")
    stock_out_date: date | None = Field(description="Null when not foreseen.")
    reason: str


class ReorderRecommendationPage(Output):
    source: Source = Field(
        description="forecast: from forecasting. reorder_point: by the items' own reorder points, "
        "while forecasting does not answer."
    )
    as_of: datetime
    items: list[ReorderRecommendationRead]
    next_cursor: str | None
