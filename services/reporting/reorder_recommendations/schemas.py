from datetime import date
from typing import Literal

from pydantic import Field

from services.reporting.freshness.schemas import AsOf
from shared.money import DecimalText
from shared.schemas import Output, Page

Source = Literal["forecast", "reorder_point"]


class ReorderRecommendationRead(Output):
    """An item to order, how much of it, and why."""

    item_code: str
    name: str
    unit: str
    on_hand: DecimalText
    available: DecimalText = Field(
        description="What decides: on hand, and nothing of what has expired; with a forecast less "
        "what is reserved, too."
    )
    reorder_point: DecimalText
    safety_stock: DecimalText | None = Field(description="Null without a forecast.")
    order_quantity: DecimalText = Field(description="Stock units.")
    order_by: date | None = Field(description="Null without a forecast.")
    stock_out_date: date | None = Field(description="Null when not foreseen.")
    reason: str = Field(
        examples=["On hand covers 1 day of expected sales, the supplier needs 4 days."]
    )
    source: Source = Field(
        description="forecast: by its forecast. reorder_point: it has none, and is at or below its "
        "own reorder point."
    )


class ReorderRecommendationPage(AsOf, Page[ReorderRecommendationRead]):
    """What to order, in the order of item codes."""

    source: Source = Field(
        description="forecast: items that have a forecast are here by it. reorder_point: all are "
        "by their own reorder points, as there is no forecast or forecasting does not answer."
    )
