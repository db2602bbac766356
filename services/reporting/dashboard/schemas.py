from pydantic import Field

from services.reporting.freshness.rules import FollowedTo
from services.reporting.freshness.schemas import AsOf, FreshnessRead
from shared.money import DecimalText
from shared.schemas import Output


class MovementCounts(Output):
    """How many movements happened in some days; a transfer counts once."""

    total: int
    by_kind: dict[str, int] = Field(examples=[{"receipt": 3, "issue": 41}])


class MovementsRead(Output):
    today: MovementCounts = Field(description="Since midnight UTC.")
    last_7_days: MovementCounts = Field(description="Today and the six days before, UTC.")


class TotalValueRead(Output):
    """What the stock on hand cost, by weighted average."""

    amount: DecimalText
    currency: str = Field(description="ISO 4217.")
    unvalued_items: int = Field(description="Items in stock whose cost is not known.")
    unreadable_items: int = Field(
        description="Items in stock whose value cannot be opened: left out of `amount`."
    )


class Figures(Output):
    """What is computed once for everyone of a tenant, and kept for a moment."""

    items: int = Field(description="All items, retired ones too.")
    active_items: int
    on_hand_lines: int = Field(description="Items at locations with stock there.")
    low_stock: int = Field(description="Active items at or below their reorder point.")
    out_of_stock: int = Field(description="Active items with none on hand.")
    movements: MovementsRead
    inventory_value: TotalValueRead | None = Field(
        description="Null without the scope `price:write` or `audit:read`."
    )


class KeptFigures(Figures):
    """Figures as the cache keeps them: with how far the journals were followed for them."""

    followed: list[FollowedTo]


class DashboardStatsRead(Figures, AsOf):
    """The state of the stock at a glance."""

    freshness: list[FreshnessRead] = Field(
        description="Of each service whose journal is followed, as it is now."
    )
