from datetime import date, datetime
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from shared.money import DecimalText
from shared.pagination import LIMIT_DEFAULT, LIMIT_MAX
from shared.schemas import Input, Output, ShortText

ITEM_IN_PATH = "Code of the item, or its id: a code with a slash fits no path."
# Compared as inventory compares codes; what has the form of an id is one.
ItemCode = Annotated[
    ShortText,
    StringConstraints(max_length=64),
    Field(description="Code of the item, or its id.", examples=["SPAGHETTI-500"]),
]


class ConsumptionDerive(Input):
    """Whose consumption to derive, and over which days."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"from": "2026-01-01", "to": "2026-01-31"}]}
    )

    items: Annotated[list[ItemCode], Field(min_length=1, max_length=LIMIT_MAX)] | None = Field(
        default=None, description="All items unless given."
    )
    from_day: date = Field(alias="from", description="First day.", examples=["2026-01-01"])
    to_day: date = Field(alias="to", description="Last day.", examples=["2026-01-31"])
    cursor: str | None = Field(
        default=None, max_length=1000, description="`next_cursor` of the page before."
    )
    limit: int = Field(default=LIMIT_DEFAULT, ge=1, le=LIMIT_MAX, description="Items in a page.")


class ConsumptionRecord(Output):
    """What was used of an item on one day, over all locations, in stock units."""

    item_code: str
    date: date
    quantity: DecimalText = Field(
        description="What was issued, less what customers returned that day, never below zero."
    )
    received: DecimalText
    unrecorded: DecimalText = Field(description="What counts found missing; negative: surplus.")
    on_hand: DecimalText = Field(description="Stock when the day ended.")
    stock_out: bool = Field(description="No stock was left: the quantity is not demand.")


class ConsumptionDerived(Output):
    """The records of one page of items; a day without a record is one without demand."""

    derived: int = Field(description="Number of records in this page.")
    as_of: datetime | None = Field(description="When the newest ledger entry counted in was made.")
    incomplete: bool = Field(
        description="An entry about this tenant could not be counted, or all are counted anew."
    )
    records: list[ConsumptionRecord]
    next_cursor: str | None


class ConsumptionRead(Output):
    """Every day of an item's consumption."""

    item_code: str
    as_of: datetime | None = Field(description="When the newest ledger entry counted in was made.")
    incomplete: bool = Field(
        description="An entry about this tenant could not be counted, or all are counted anew."
    )
    total: DecimalText = Field(description="What was issued in all, less what customers returned.")
    stock_out_days: int
    days: list[ConsumptionRecord]
