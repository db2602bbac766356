from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from shared.money import DecimalText
from shared.schemas import Output

Source = Literal["forecast", "reorder_point"]


class ForecastRecommendation(BaseModel):
    """What forecasting recommends for one item, as far as this report shows it."""

    item_code: str
    on_hand: DecimalText | None = None
    reorder_point: DecimalText | None = None
    safety_stock: DecimalText | None = None
    order_quantity: DecimalText
    order_by: date | None = None
    stock_out_date: date | None = None
    reason: str = ""


class ForecastPage(BaseModel):
    """A page of forecasting's recommendations."""

    items: list[ForecastRecommendation]
    next_cursor: str | None = None


class ReorderRecommendationRead(Output):
    """An item to order, how much of it, and why."""

    item_code: str
    name: str
    unit: str | None
    on_hand: DecimalText
    reorder_point: DecimalText | None
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
