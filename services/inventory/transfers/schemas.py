from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.inventory.items.schemas import Unit
from services.inventory.movements.schemas import GivenRead, Serials, fault_of_serials
from services.inventory.transfers.rules import TransferState
from shared.i18n import N_
from shared.i18n.validation import MESSAGES
from shared.identifiers import Code
from shared.money import DecimalText, Quantity, QuantityOrZero
from shared.pagination import PageQuery
from shared.schemas import Input, Moment, Note, Output, Page, ShortText, Update, refusal_of

_NOTHING_ARRIVED = PydanticCustomError(
    "nothing_arrived", N_("Nothing arrives by this. Say how much did, or that it is final.")
)


def _require_amount(quantity: Decimal | None, serials: list[str] | None) -> None:
    """Refuse what does not say how much, by a quantity or by serials."""
    if serials is None and quantity is None:
        fault = PydanticCustomError("missing", MESSAGES["missing"])
        raise refusal_of({"quantity": fault})
    twice = fault_of_serials(serials or [])
    if twice is not None:
        raise refusal_of({"serials": twice})


class TransferCreate(Input):
    """What leaves a location for another one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "item": "SPAGHETTI-500",
                    "location": "Main warehouse",
                    "to_location": "Shop",
                    "quantity": "12",
                }
            ]
        }
    )

    item: ShortText = Field(description="Id, code or barcode.", examples=["SPAGHETTI-500"])
    location: ShortText = Field(description="Where it leaves.", examples=["Main warehouse"])
    to_location: ShortText = Field(description="Where it goes.", examples=["Shop"])
    via: ShortText | None = Field(
        default=None, description="The location of type transit; the oldest one unless given."
    )
    quantity: Quantity | None = Field(
        default=None,
        description="In `unit`. Not needed with `serials`.",
        examples=["12"],
    )
    unit: Unit | None = Field(
        default=None,
        description="What `quantity` counts: the stock unit or a pack of the item. Unless given, "
        "the pack that the barcode in `item` is printed on, or else the stock unit.",
    )
    lot: Code | None = Field(
        default=None,
        description="The lot, of an item that has lots; unless named, those that expire first "
        "leave first. The movement with the id of the transfer tells which left.",
    )
    serials: Serials | None = Field(
        default=None, min_length=1, description="All units of an item with serial numbers."
    )
    reference: ShortText | None = Field(default=None, description="Document it belongs to.")
    expected_at: Moment | None = Field(
        default=None, description="When it should arrive; until then it is an expected receipt."
    )

    @model_validator(mode="after")
    def _says_how_much(self) -> Self:
        _require_amount(self.quantity, self.serials)
        return self


class TransferUpdate(Update):
    """Another time at which a transfer should arrive; null if that is not known."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"expected_at": "2030-01-31T12:00:00Z"}]}
    )

    clearable: ClassVar[frozenset[str]] = frozenset({"expected_at"})

    expected_at: Moment | None = None


class TransferCancel(Input):
    """Why a transfer is called off."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "The truck did not leave."}]}
    )

    reason: Note = Field(description="Why.", examples=["The truck did not leave."])


class TransferReceive(Input):
    """What arrived of a transfer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"quantity": "12"}]})

    quantity: QuantityOrZero | None = Field(
        default=None,
        description="What arrived by this delivery, in `unit`. Not needed with `serials`.",
        examples=["12"],
    )
    unit: Unit | None = Field(
        default=None,
        description="What `quantity` counts: the stock unit, unless given, or a pack of the item. "
        "The one that it was dispatched in is as large as it was then.",
    )
    serials: Serials | None = Field(
        default=None,
        description="What arrived of an item with serial numbers; where all did, the quantity is "
        "enough.",
    )
    over_received: bool = Field(
        default=False,
        description="More arrived than was still in transit, and that is meant: the surplus is "
        "recorded as a difference. Unless said, it is refused.",
    )
    final: bool = Field(
        default=False,
        description="Nothing more will come: what has not arrived is written off. Unless given, it "
        "stays in transit.",
    )
    reason: Note | None = Field(
        default=None, description="What is known of a difference.", examples=[None]
    )

    @model_validator(mode="after")
    def _says_how_much(self) -> Self:
        _require_amount(self.quantity, self.serials)
        if not (self.quantity or self.serials or self.final):
            raise refusal_of({"quantity": _NOTHING_ARRIVED})
        return self


class TransferRead(Output):
    """Stock on its way, or arrived: what was dispatched and what was received."""

    id: UUID
    state: TransferState
    item: str = Field(description="Code of the item.", examples=["SPAGHETTI-500"])
    item_id: UUID
    location: str | None = Field(
        description="Where it left; null if it is not one of yours.", examples=["Main warehouse"]
    )
    to_location: str | None = Field(
        description="Where it goes; null if it is not one of yours.", examples=["Shop"]
    )
    via: str | None = Field(
        description="Where it lies in between; null if it is not one of yours.",
        examples=["In transit"],
    )
    quantity: DecimalText = Field(description="Stock units dispatched.")
    given: GivenRead | None = Field(
        description="The quantity as it was given, where a unit was named.", examples=[None]
    )
    arrived: DecimalText = Field(
        description="Stock units that have arrived by now, in all deliveries.", examples=["12"]
    )
    in_transit: DecimalText = Field(
        description="Stock units that are still under way.", examples=["0"]
    )
    received: DecimalText | None = Field(
        description="Stock units that arrived in all; null while in transit.", examples=["12"]
    )
    returned: DecimalText | None = Field(
        description="Stock units that went back to where it left; null unless it was cancelled.",
        examples=[None],
    )
    difference: DecimalText | None = Field(
        description="Received and returned, less dispatched; null while in transit.",
        examples=["0"],
    )
    missing_serials: list[str] = Field(
        description="Serials that were dispatched and did not arrive.", examples=[[]]
    )
    reference: str | None = Field(examples=[None])
    reason: str | None = Field(
        description="What is known of a difference; why it was cancelled.", examples=[None]
    )
    expected_at: datetime | None = Field(
        description="When it should arrive; null where nobody has said.", examples=[None]
    )
    dispatched_at: datetime
    dispatched_by: str = Field(examples=["user:0192f0c1-5ac4-7b3e-8f21-6a52b0c9d001"])
    received_at: datetime | None = Field(
        description="When nothing was in transit any more.", examples=[None]
    )
    received_by: str | None = Field(
        description="Who received the last of it, or called it off.", examples=[None]
    )
    version: int


class TransferReceiptRead(TransferRead):
    """A transfer after a delivery, with what that brought."""

    delivered: DecimalText = Field(
        description="Stock units that arrived by this delivery.", examples=["12"]
    )
    delivered_as: GivenRead | None = Field(
        description="The same as it was given, where a unit was named.", examples=[None]
    )


class TransferQuery(PageQuery):
    """Which transfers to list; null means any."""

    state: TransferState | None = Field(
        default=TransferState.IN_TRANSIT, description="What is in transit unless given."
    )


class TransferPage(Page[TransferRead]): ...
