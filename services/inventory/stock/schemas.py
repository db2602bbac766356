from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.inventory.items.schemas import PackRead
from shared.money import DecimalText
from shared.pagination import PageQuery
from shared.schemas import Input, Moment, Output, Page, QueryModel, ShortText

CODES_MAX = 200


_RESERVED = Field(
    description="Null of a past moment: what was reserved then is not kept by two times.",
    examples=["2"],
)
_AVAILABLE = Field(
    description="On hand less reserved, and nothing of what has expired; null of a past moment.",
    examples=["8"],
)


class PlaceStock(Output):
    """What lay of an item at one location, or of one lot of it there, in stock units."""

    location: str
    location_id: UUID
    lot: str | None = Field(description="Null where lots are not tracked.", examples=[None])
    expires_on: date | None = Field(
        description="The last day, by UTC, on which the lot may be issued.", examples=[None]
    )
    on_hand: DecimalText
    reserved: DecimalText | None = _RESERVED
    available: DecimalText | None = _AVAILABLE


class StockRead(PlaceStock):
    """What lies of an item at one location, or of one lot of it there, in stock units."""

    reserved: DecimalText
    available: DecimalText


class LookupRead(Output):
    """An item and where it lies, for a scanner."""

    id: UUID
    code: str
    name: str
    category: str | None
    category_id: UUID | None
    unit: str
    pack: PackRead | None = Field(
        description="The pack whose barcode it is; null where it stands for a stock unit.",
        examples=[None],
    )
    active: bool
    on_hand: DecimalText
    reserved: DecimalText
    available: DecimalText
    in_transit: DecimalText = Field(
        description="What of it is on its way between locations; it is reserved.", examples=["0"]
    )
    stock: list[StockRead]


class LookupRequest(Input):
    """Codes to look up at once."""

    codes: Annotated[list[ShortText], Field(min_length=1, max_length=CODES_MAX)] = Field(
        description="Codes, barcodes or ids.", examples=[["SPAGHETTI-500", "8076800195057"]]
    )


class LookupResult(Output):
    """What one of the codes names."""

    code: str = Field(description="As it was asked for.")
    found: bool
    item: LookupRead | None


class LookupResults(Output):
    """What each of the codes names, in their order."""

    results: list[LookupResult]


class ItemStockRead(Output):
    """What lay of an item at each location at a moment."""

    item_id: UUID
    code: str
    as_of: datetime
    known_at: datetime | None = Field(description="Null: by all that has been recorded since.")
    on_hand: DecimalText
    stock: list[PlaceStock]


class LocatedItem(Output):
    """What lies, or lay, of one item at the locations asked about together."""

    item_id: UUID
    code: str
    name: str
    unit: str
    on_hand: DecimalText
    reserved: DecimalText | None = _RESERVED
    available: DecimalText | None = _AVAILABLE


AsOf = Annotated[
    Moment | None,
    Field(description="When it lay there; now unless given, and for a time in the future."),
]
KnownAt = Annotated[
    Moment | None,
    Field(
        description="As recorded by then: the same answer for ever. All that is recorded by "
        "now unless given; a time in the future is refused with 422 `known_in_future`."
    ),
]


class ItemStockQuery(QueryModel):
    """When an item lay there."""

    as_of: AsOf = None
    known_at: KnownAt = None


class LocatedItemQuery(PageQuery):
    """Which page of what lies at a location, and when; all pages with the same times."""

    recursive: bool = Field(
        default=False, description="With all that lies in the locations inside it."
    )
    as_of: AsOf = None
    known_at: KnownAt = None


class StockQuery(PageQuery):
    """Which page of what lies anywhere, and when; all pages with the same times."""

    location: ShortText | None = Field(
        default=None,
        description="Only at this location, by name or id, and in those inside it.",
    )
    category: ShortText | None = Field(
        default=None, description="Of this category or one that lies in it, by name or id."
    )
    as_of: AsOf = None
    known_at: KnownAt = None


class LocatedItemPage(Page[LocatedItem]):
    as_of: datetime
    known_at: datetime | None = Field(description="Null: by all that has been recorded since.")
