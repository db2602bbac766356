from typing import Literal

from pydantic import Field

from services.reporting.freshness.schemas import AsOf
from shared.money import DecimalText
from shared.pagination import PageQuery
from shared.schemas import Output, Page, unreadable_field

Grouping = Literal["item", "category", "location"]


class ValueRead(Output):
    """The value of one item, category or location."""

    key: str = Field(
        description="Item code, category or location; empty without a category.",
        examples=["SPAGHETTI-500"],
    )
    name: str
    items: int = Field(description="How many different items.")
    quantity: DecimalText = Field(description="Stock units on hand.")
    unit: str | None = Field(description="Of an item.")
    unit_cost: DecimalText | None = Field(
        description="Weighted average cost of an item; null while no cost is known."
    )
    value: DecimalText | None = Field(
        description="In `currency`, to its smallest coin; of a category or location without "
        "`unreadable_items`."
    )
    unreadable_items: int = Field(
        description="How many of `items` have a value that cannot be opened."
    )
    unreadable: list[Literal["unit_cost", "value"]] = unreadable_field()


class InventoryValueQuery(PageQuery):
    """How to group and show the value; of most parameters there is one choice so far."""

    method: Literal["wac"] = Field(default="wac", description="Weighted average cost.")
    as_of: Literal["now"] = Field(default="now", description="The present, the only time so far.")
    format: Literal["json"] = Field(default="json", description="The form of the answer.")
    by: Grouping = Field(default="item", description="What each row is: an item, and so on.")


class InventoryValueRead(AsOf, Page[ValueRead]):
    """What the stock on hand cost; the rows of all pages add up to `total`."""

    method: Literal["wac"]
    by: Grouping
    currency: str = Field(description="ISO 4217.")
    total: DecimalText
    unvalued_items: int = Field(description="Items in stock whose cost is not known: worth 0 here.")
    unreadable_items: int = Field(
        description="Items in stock whose value cannot be opened, since what is stored was altered "
        "or its key is gone: left out of `total`."
    )
