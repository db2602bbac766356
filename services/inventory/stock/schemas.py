from datetime import datetime
from uuid import UUID

from pydantic import Field

from shared.money import DecimalText
from shared.schemas import Output, Page


class StockRead(Output):
    """What lies of an item at one location, in stock units."""

    location: str
    location_id: UUID
    lot: str | None = Field(description="Null where lots are not tracked.")
    on_hand: DecimalText
    reserved: DecimalText
    available: DecimalText


class LookupRead(Output):
    """An item and where it lies, for a scanner."""

    id: UUID
    code: str
    name: str
    category: str | None
    unit: str
    active: bool
    on_hand: DecimalText
    reserved: DecimalText
    available: DecimalText
    stock: list[StockRead]


class ItemStockRead(Output):
    """What lay of an item at each location at a moment."""

    item_id: UUID
    code: str
    as_of: datetime
    on_hand: DecimalText
    stock: list[StockRead]


class LocatedItem(Output):
    """What lies of one item at the location asked about."""

    item_id: UUID
    code: str
    name: str
    unit: str
    on_hand: DecimalText
    reserved: DecimalText
    available: DecimalText


class LocatedItemPage(Page[LocatedItem]): ...
