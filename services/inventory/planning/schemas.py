from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from services.inventory.items.schemas import ItemSummary
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
