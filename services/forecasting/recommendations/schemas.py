from datetime import date, datetime

from pydantic import Field

from services.forecasting.recommendations.rules.replenishment import ReasonCode
from shared.money import DecimalText
from shared.schemas import Output


class LeadTimeDemand(Output):
    """Expected demand while an order is on its way, in stock units, with its intervals."""

    days: int
    expected: DecimalText
    lower_80: DecimalText
    upper_80: DecimalText
    lower_95: DecimalText
    upper_95: DecimalText


class RecommendationRead(Output):
    """What to order of an item and when; quantities in stock units."""

    item_code: str
    name: str
    unit: str
    on_hand: DecimalText
    reserved: DecimalText
    available: DecimalText
    lead_time_days: int
    demand: LeadTimeDemand
    stock_out_date: date | None = Field(description="Null: not as far as the forecast goes.")
    reorder_point: DecimalText
    safety_stock: DecimalText
    order_quantity: DecimalText = Field(description="Zero: nothing to order now.")
    packs: int = Field(description="The order in packs.")
    pack_size: DecimalText
    pack_unit: str | None
    order_by: date | None = Field(description="When stock comes down to the reorder point.")
    reason_code: ReasonCode
    reason: str
    model_type: str
    beats_baseline: bool


class RecommendationPage(Output):
    """What to order. A page may be short: go on while there is a `next_cursor`."""

    items: list[RecommendationRead]
    expired: int = Field(description="Items passed over because their forecast has ended.")
    as_of: datetime | None = Field(description="When the newest ledger entry counted in was made.")
    next_cursor: str | None
