from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from services.forecasting.recommendations.rules.replenishment import ReasonCode
from shared.money import DecimalText
from shared.pagination import LIMIT_MAX, Limit, PageQuery
from shared.schemas import Output, Page


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


class RecommendationQuery(PageQuery):
    """Which recommendations to list."""

    everything: bool = Field(
        default=False,
        alias="all",
        description="Also items of which nothing is to be ordered now.",
    )


class TenantRecommendationQuery(RecommendationQuery):
    """The same for another service, which names the tenant it asks for."""

    tenant: UUID
    limit: Limit = LIMIT_MAX


class RecommendationPage(Page[RecommendationRead]):
    """What to order. A page may be short: go on while there is a `next_cursor`."""

    expired: int = Field(description="Items passed over because their forecast has ended.")
    as_of: datetime | None = Field(description="When the newest ledger entry counted in was made.")
