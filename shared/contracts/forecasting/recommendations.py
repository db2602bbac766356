"""What forecasting recommends to order: to people, and to services that ask on `/internal`."""

from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from shared.money import DecimalText
from shared.pagination import Keyset
from shared.schemas import Output, Page

PATH = "/internal/recommendations"
BY_CODE = Keyset("code", str)  # The order of the list: its cursor is that of the code before.


class ReasonCode(StrEnum):
    """Why a recommendation says what it says; the service turns it into words."""

    OUT_OF_STOCK = "out_of_stock"
    STOCK_OUT_BEFORE_DELIVERY = "stock_out_before_delivery"
    BELOW_REORDER_POINT = "below_reorder_point"
    COVERED_BY_ORDERS = "covered_by_orders"
    REORDER_LATER = "reorder_later"
    ENOUGH_STOCK = "enough_stock"
    NO_DEMAND_EXPECTED = "no_demand_expected"


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
    available: DecimalText = Field(
        description="On hand less reserved, and nothing of what has expired."
    )
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
    reason: str = Field(
        examples=["On hand covers 1 day of expected sales, the supplier needs 4 days."]
    )
    model_type: str
    beats_baseline: bool


class RecommendationPage(Page[RecommendationRead]):
    """What to order. A page may be short: go on while there is a `next_cursor`."""

    expired: int = Field(description="Items passed over because their forecast has ended.")
    as_of: datetime | None = Field(description="When the newest ledger entry counted in was made.")
    incomplete: bool = Field(
        description="An entry about this tenant could not be counted, or all are counted anew."
    )


class TenantRecommendationPage(RecommendationPage):
    """The same for another service.

    A code up to `next_cursor` that is in neither list has no forecast of today.
    """

    without_order: list[str]  # Codes of items whose forecasts ask for no order now.
