from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from services.inventory.items.schemas import ItemSummary
from shared.money import DecimalText, Quantity, QuantityOrZero
from shared.pagination import PageQuery
from shared.schemas import Input, Output, Page, ShortText


class PlanningCreate(Input):
    """What is wished of an item at one location, in stock units; what is left out is the item's."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra={"examples": [{"reorder_point": "12", "par_level": "24"}]}
    )

    par_level: QuantityOrZero | None = Field(default=None, description="Stock units wished for.")
    reorder_point: QuantityOrZero | None = Field(
        default=None, description="Order at or below this."
    )
    reorder_quantity: Quantity | None = Field(default=None, description="Least to order.")
    maximum: QuantityOrZero | None = Field(default=None, description="Most that should lie there.")


class PlanningRead(Output):
    """What is wished of an item at one location; null is as the item says."""

    item_id: UUID
    location: str
    location_id: UUID
    par_level: DecimalText | None = Field(examples=["24"])
    reorder_point: DecimalText | None = Field(examples=["12"])
    reorder_quantity: DecimalText | None = Field(examples=[None])
    maximum: DecimalText | None = Field(examples=[None])
    version: int
    created_at: datetime
    updated_at: datetime


class PlanningQuery(PageQuery):
    """Which page of an item's values at its locations to list."""


class PlanningPage(Page[PlanningRead]): ...


class LowStockQuery(PageQuery):
    """Which items are low, and where."""

    location: ShortText | None = Field(
        default=None,
        description="At this location and in what lies in it, by name or id: items that have lain "
        "there, or have values of their own there. All locations together unless given.",
    )
    below: Literal["reorder_point", "par_level"] | None = Field(
        default=None, description="Only those at or below the one, or below the other."
    )


class LowStockItem(ItemSummary):
    """An item that is low, with its stock there and the values that hold there."""

    location: str | None = Field(description="Null for all together.", examples=[None])
    location_id: UUID | None = Field(examples=[None])
    below: Literal["reorder_point", "par_level"]
    shortfall: DecimalText = Field(
        description="What is missing up to the par level, or else the reorder point.",
        examples=["6"],
    )


class LowStockPage(Page[LowStockItem]): ...
