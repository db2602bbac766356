from datetime import datetime
from uuid import UUID

from pydantic import Field

from services.inventory.ledger.rules import Kind, MovementReason
from services.inventory.openings.schemas import KeptFrom
from shared.pagination import PageQuery
from shared.schemas import Output, Page, ShortText


class SerialRead(Output):
    """A unit of an item, by its serial number, and where it lies."""

    id: UUID
    item: str = Field(description="Code of the item.")
    item_id: UUID
    serial: str = Field(description="As typed first.", examples=["SN-0001"])
    location: str | None = Field(
        description="Where it lies; null where it left stock, or lies where you may not know of."
    )
    location_id: UUID | None
    reserved: bool = Field(description="Nobody else can take it.", examples=[False])
    received_at: datetime = Field(description="When it first came.")


class SerialQuery(PageQuery):
    """Which serials of an item to list."""

    location: ShortText | None = Field(
        default=None, description="Id or name of the location where they lie."
    )
    on_hand: bool | None = Field(
        default=None,
        description="True: those that lie somewhere. False: those that do not; with a location, "
        "those that lay there and do not any more.",
    )


class SerialPage(Page[SerialRead]): ...


class SerialHistoryQuery(PageQuery):
    """Of which item, and which page of its movements."""

    item: ShortText | None = Field(
        default=None,
        description="Id, code or barcode of the item; all that have such a serial unless given.",
    )


class SerialMovementRead(Output):
    """A movement of a serial: where it came from and where it went."""

    movement_id: UUID
    kind: Kind
    item: str = Field(description="Code of the item.")
    item_id: UUID
    serial: str = Field(examples=["SN-0001"])
    from_location: str | None = Field(
        description="Null where it came into stock, or from where you may not know of. A count "
        "that found it there goes from its location to the same.",
        examples=[None],
    )
    to_location: str | None = Field(
        description="Null where it left stock, or to where you may not know of.",
        examples=["Main warehouse"],
    )
    reason_code: MovementReason | None
    reason: str | None
    reference: str | None
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    backdated: bool
    reverses: UUID | None = Field(
        description="The movement that it undid, if it is a reversal.", examples=[None]
    )
    reversed_by: UUID | None = Field(
        description="The movement by which it was undone.", examples=[None]
    )


class SerialHistory(Page[SerialMovementRead]):
    """Which units have a serial number, and all their movements, in the order of their times."""

    found: list[SerialRead] = Field(
        description="One of each item that has it, at most a hundred, by the items' codes."
    )
    kept_from: KeptFrom
