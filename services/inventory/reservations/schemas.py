from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.inventory.items.schemas import Unit
from services.inventory.movements.schemas import fault_of_serials
from services.inventory.reservations.rules import (
    LINES_MAX,
    SERIALS_OF_LINE_MAX,
    ReservationStatus,
)
from shared.i18n import N_
from shared.i18n.validation import MESSAGES
from shared.identifiers import Code
from shared.money import DecimalText, Quantity
from shared.pagination import PageQuery
from shared.schemas import Input, Moment, Output, Page, ShortText, Update, refusal_of

_ONE_OF_BOTH = PydanticCustomError(
    "quantity_or_serials", N_("Give the quantity, or else the serials.")
)
_NAMED_TWICE = PydanticCustomError("line_twice", N_("A line is named twice. Name each once."))


ReservedSerials = Annotated[
    list[Code],
    Field(min_length=1, max_length=SERIALS_OF_LINE_MAX, examples=[["SN-0001", "SN-0002"]]),
]


class ReservationLineCreate(Input):
    """What to hold of one item."""

    item: ShortText = Field(
        description="Id, code or barcode of the item.", examples=["SPAGHETTI-500"]
    )
    location: ShortText | None = Field(
        default=None,
        description="Id or name of the location. Unless given, wherever it is available, where "
        "the most is first.",
        examples=["Main warehouse"],
    )
    quantity: Quantity | None = Field(
        default=None, description="In `unit`. Not needed with `serials`.", examples=["12"]
    )
    lot: Code | None = Field(
        default=None,
        description="The lot, of an item that has lots; those that expire first unless named.",
    )
    serials: ReservedSerials | None = Field(
        default=None,
        description="The units, of an item with serials; those that came first unless named.",
    )
    unit: Unit | None = Field(
        default=None,
        description="What `quantity` counts: the stock unit or a pack of the item. Unless given, "
        "the pack that the barcode in `item` is printed on, or else the stock unit.",
    )

    @model_validator(mode="after")
    def _says_how_much(self) -> Self:
        faults = {}
        if self.quantity is None and (self.serials is None or self.unit is not None):
            faults["quantity"] = PydanticCustomError("missing", MESSAGES["missing"])
        twice = fault_of_serials(self.serials or [])
        if twice is not None:
            faults["serials"] = twice
        if faults:
            raise refusal_of(faults)
        return self


class ReservationCreate(Input):
    """What to hold, for what, and until when: all lines or none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "lines": [
                        {"item": "SPAGHETTI-500", "location": "Main warehouse", "quantity": "12"}
                    ],
                    "reference": "Order 4711",
                }
            ]
        }
    )

    lines: Annotated[list[ReservationLineCreate], Field(min_length=1, max_length=LINES_MAX)]
    expires_at: Moment | None = Field(
        default=None, description="A day from now unless given; a year at most."
    )
    reference: ShortText | None = Field(
        default=None, description="What it is for.", examples=["Order 4711"]
    )


class ReservationUpdate(Update):
    """Another time at which a reservation ends."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"expires_at": "2030-01-31T12:00:00Z"}]}
    )

    expires_at: Moment | None = Field(default=None, description="After now, a year at most.")


class ReservationLineTake(Input):
    """How much of one line."""

    line: int = Field(ge=0, lt=LINES_MAX, description="As the reservation numbers it.")
    quantity: Quantity | None = Field(
        default=None, description="In stock units. Not needed with `serials`.", examples=["12"]
    )
    serials: ReservedSerials | None = Field(
        default=None, description="Which of the serials that it holds; the first unless named."
    )

    @model_validator(mode="after")
    def _says_how_much(self) -> Self:
        if (self.quantity is None) is (self.serials is None):
            raise refusal_of({"quantity": _ONE_OF_BOTH})
        twice = fault_of_serials(self.serials or [])
        if twice is not None:
            raise refusal_of({"serials": twice})
        return self

    @property
    def number(self) -> Decimal:
        """The quantity, or how many serials it names."""
        return Decimal(len(self.serials or ())) if self.quantity is None else self.quantity


class ReservationTake(Input):
    """How much to commit or release; all that is held unless lines are given."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"lines": [{"line": 0, "quantity": "12"}]}]}
    )

    lines: Annotated[
        list[ReservationLineTake] | None, Field(min_length=1, max_length=LINES_MAX)
    ] = None

    @model_validator(mode="after")
    def _names_lines_once(self) -> Self:
        lines = [each.line for each in self.lines or ()]
        if len(set(lines)) < len(lines):
            raise refusal_of({"lines": _NAMED_TWICE})
        return self


class HoldRead(Output):
    """What a line holds at one location, or of one lot there, in stock units."""

    location: str
    location_id: UUID
    lot: str | None = Field(description="Null where lots are not tracked.", examples=[None])
    serials: list[str] = Field(description="The units that it still holds.", examples=[[]])
    quantity: DecimalText = Field(description="What it was for at first.", examples=["12"])
    held: DecimalText = Field(examples=["12"])
    committed: DecimalText = Field(description="Went out by a movement.", examples=["0"])
    released: DecimalText = Field(examples=["0"])
    expired: DecimalText = Field(examples=["0"])


class ReservationLineRead(Output):
    """A line of a reservation: what became of its units, and where they are held."""

    line: int = Field(description="Its place in the request, from 0.")
    item: str = Field(description="Code of the item.")
    item_id: UUID
    quantity: DecimalText = Field(
        description="What it was for at first, in stock units.", examples=["12"]
    )
    held: DecimalText = Field(examples=["12"])
    committed: DecimalText = Field(examples=["0"])
    released: DecimalText = Field(examples=["0"])
    expired: DecimalText = Field(examples=["0"])
    holds: list[HoldRead]


class ReservationRead(Output):
    """A reservation. What it holds is part of `reserved` until it is committed or released."""

    id: UUID
    status: ReservationStatus
    reference: str | None
    expires_at: datetime
    created_at: datetime
    created_by: str = Field(examples=["user:0192f0c1-5ac4-7b3e-8f21-6a52b0c9d001"])
    lines: list[ReservationLineRead]


class ReservationCommittedRead(Output):
    """The reservation after something of it went out, and the movements by which it did."""

    reservation: ReservationRead
    movements: list[UUID]


class ReservationQuery(PageQuery):
    """Which reservations to list; null means any."""

    active: bool | None = Field(
        default=None, description="True: those that hold something now. False: all others."
    )
    reference: ShortText | None = Field(default=None, description="With exactly this reference.")
    item: ShortText | None = Field(default=None, description="Id, code or barcode of an item.")


class ReservationPage(Page[ReservationRead]): ...
