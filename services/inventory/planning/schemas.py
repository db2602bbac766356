from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from services.inventory.items.schemas import ItemSummary
from services.inventory.planning.rules import USE_DAYS
from shared.money import DecimalText, Quantity, QuantityOrZero
from shared.pagination import PageQuery
from shared.schemas import Input, Moment, Output, Page, QueryModel, ShortText


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
    use_days: int = Field(
        default=USE_DAYS, ge=1, le=366, description="Over how many days use is averaged, until now."
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
    daily_use: DecimalText = Field(
        description="What was issued there a day, less what customers returned, over `use_days`; "
        "if the item first moved later, anywhere, over the days since then, at least one. What was "
        "undone does not count.",
        examples=["2.5"],
    )
    days_of_stock: DecimalText | None = Field(
        description="How long what is available lasts at that use; null if none is used.",
        examples=["4.8"],
    )
    stock_out_on: date | None = Field(
        description="When it runs out, by UTC, with what is expected before. Null if none is used, "
        "or not within ten years.",
        examples=["2030-01-31"],
    )
    expected: DecimalText = Field(
        description="All that is on its way there, whenever it comes.", examples=["0"]
    )
    expected_before: DecimalText = Field(
        description="What of it is expected, at a time that is known, before it runs out.",
        examples=["0"],
    )
    short_in_lead_time: bool | None = Field(
        description="Whether it runs out before an order of today would arrive; null without "
        "`lead_time_days`.",
        examples=[False],
    )
    suggested_quantity: DecimalText = Field(
        description="What to order in stock units, whole packs: up to the maximum, or else the "
        "par level or reorder point, at least the reorder quantity. 0 where what is on its way "
        "will do.",
        examples=["24"],
    )


class LowStockPage(Page[LowStockItem]): ...


class PromiseQuery(QueryModel):
    """Where, and until when, something would be promised."""

    location: ShortText | None = Field(
        default=None,
        description="At this location and in what lies in it, by name or id. All that you may use "
        "unless given.",
    )
    until: Moment | None = Field(
        default=None, description="The last time to look at; no end unless given."
    )


class PromiseStep(Output):
    """What may be promised from a time on, until the next step."""

    at: datetime
    received: DecimalText = Field(description="What is expected at that time.", examples=["0"])
    expired: DecimalText = Field(
        description="What may not be issued any more from then on.", examples=["0"]
    )
    available_to_promise: DecimalText = Field(
        description="What may be promised for a date from then on, all receipts until then "
        "included. Nothing that is held is in it, nor anything that has expired by then.",
        examples=["144"],
    )


class ExpectedReceipt(Output):
    """What is on its way to a location, in stock units."""

    source: Literal["transfer"]
    source_id: UUID = Field(description="Id of the transfer.")
    location: str = Field(description="Where it goes.", examples=["Shop"])
    location_id: UUID
    expires_on: date | None = Field(
        description="The last day of its lot; null where it has none.", examples=[None]
    )
    quantity: DecimalText = Field(examples=["24"])
    expected_at: datetime | None = Field(description="Null where nobody has said when.")


class HoldEnding(Output):
    """What reservations hold until a time. It may go out before, so nothing of it is promised."""

    expires_at: datetime
    quantity: DecimalText = Field(examples=["12"])


class PlacePromise(Output):
    """What may be promised at one location, without what lies in it."""

    location: str
    location_id: UUID
    available: DecimalText
    timeline: list[PromiseStep]


class ItemPromise(Output):
    """What may be promised of an item now and at later dates, in stock units."""

    item_id: UUID
    code: str
    unit: str
    location: str | None = Field(description="Null for all together.", examples=[None])
    location_id: UUID | None = Field(examples=[None])
    now: datetime
    until: datetime | None = Field(examples=[None])
    on_hand: DecimalText
    reserved: DecimalText = Field(description="Held, or on its way between locations.")
    available: DecimalText
    timeline: list[PromiseStep] = Field(description="The first step is now.")
    expected: list[ExpectedReceipt] = Field(description="By the time at which it is expected.")
    unscheduled: list[ExpectedReceipt] = Field(
        description="On its way, but not promised: nobody has said when it comes, or that time has "
        "passed.",
        examples=[[]],
    )
    complete: bool = Field(
        description="False: more than 1000 receipts are expected, and the later ones are left out. "
        "Ask with an earlier `until`, or by location.",
        examples=[True],
    )
    holds: list[HoldEnding] = Field(
        description="When reservations end, the first 200 times. What they hold is not promised."
    )
    locations: list[PlacePromise] = Field(
        description="Location by location: where something lies, or is expected."
    )
