from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from services.inventory.ledger.rules import Kind, MovementReason
from services.inventory.openings.schemas import KeptFrom
from shared.money import DecimalText
from shared.pagination import PageQuery
from shared.schemas import Output, Page, ShortText, Update


class LotUpdate(Update):
    """A correction of a lot."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"expires_on": "2027-03-31"}]})

    clearable: ClassVar[frozenset[str]] = frozenset({"expires_on"})

    expires_on: date | None = Field(
        default=None,
        description="The last day, by UTC, on which it may be issued; null for no expiry.",
    )


class LotStockRead(Output):
    """What lies of a lot at one location, in stock units."""

    location: str
    location_id: UUID
    on_hand: DecimalText
    reserved: DecimalText
    available: DecimalText = Field(description="What may be issued: nothing once it has expired.")


class LotRead(Output):
    """A lot of an item, and where it lies."""

    id: UUID
    item_id: UUID
    lot: str = Field(description="Its code, as typed first.", examples=["L2026-117"])
    expires_on: date | None = Field(examples=["2027-03-31"])
    expired: bool = Field(
        description="Its last day is over, so it is not issued.", examples=[False]
    )
    received_at: datetime = Field(description="When its first receipt happened.")
    on_hand: DecimalText
    stock: list[LotStockRead]
    version: int


class LotQuery(PageQuery):
    """Which lots of an item to list."""

    in_stock: bool = Field(default=False, description="Those of which some lies somewhere.")


class LotPage(Page[LotRead]): ...


class TraceQuery(PageQuery):
    """Which movements of a lot to list."""

    item: ShortText | None = Field(
        default=None,
        description="Id, code or barcode of the item; any that has such a lot unless given.",
    )
    way: Literal["in", "out"] | None = Field(
        default=None, description="in: where it came from. out: where it went."
    )
    through_kits: bool = Field(
        default=True,
        description="Whether to go on through the assembly of kits and taking them apart: with the "
        "movements of all lots that it became, but for `way=in`, and of all that it was made of, "
        "but for `way=out`.",
    )


class LotKinRead(Output):
    """What left or came by the same assembly of kits, of one lot or serial."""

    item: str = Field(description="Code of the item.", examples=["HAMPER"])
    item_id: UUID
    lot: str | None = Field(
        description="Null of an item without lots: from there on nothing is told apart.",
        examples=["H-7"],
    )
    serial: str | None = Field(examples=[None])
    quantity: DecimalText = Field(description="Stock units, never negative.")


class TraceRead(Output):
    """A movement of a lot at one location: where it came from, or where it went."""

    movement_id: UUID
    way: Literal["in", "out"] | None = Field(
        description="Null of a count that found as much as was recorded: nothing came or went."
    )
    kind: Kind
    item: str = Field(description="Code of the item.")
    item_id: UUID
    lot: str | None = Field(description="As typed first.", examples=["L2026-117"])
    serial: str | None = Field(
        description="Of a kit or component with serial numbers that it became or was made of.",
        examples=[None],
    )
    generation: int = Field(
        description="0: of the lot itself. 1: of what it became by an assembly, 2 by one more, and "
        "so on. -1: of what it was made of, or taken out of.",
        examples=[0],
    )
    location: str
    other_location: str | None = Field(
        description="The other end of a transfer; null too where you may not know of it.",
        examples=[None],
    )
    quantity: DecimalText = Field(description="Stock units, never negative.")
    reason_code: MovementReason | None
    reason: str | None
    reference: str | None
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    reverses: UUID | None = Field(
        description="The movement that it undid, if it is a reversal.", examples=[None]
    )
    reversed_by: UUID | None = Field(
        description="The movement by which it was undone.", examples=[None]
    )
    part_of: UUID | None = Field(
        description="The assembly of a kit, or taking apart, that it belongs to.", examples=[None]
    )
    became: list[LotKinRead] = Field(
        description="What it became by that: the kits, or what came out of them. At most 100.",
        examples=[[]],
    )
    made_of: list[LotKinRead] = Field(
        description="What it was made of, or taken out of, by that. At most 100.", examples=[[]]
    )


class TracePage(Page[TraceRead]):
    kept_from: KeptFrom
