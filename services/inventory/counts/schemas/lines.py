"""The lines of a count: what is said of them, and what they show."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.inventory.counts.rules import CountResult
from services.inventory.items.schemas import Unit
from services.inventory.ledger.rules import LINES_MAX
from shared.i18n import N_
from shared.identifiers import Code
from shared.money import DecimalText, QuantityOrZero
from shared.pagination import PageQuery
from shared.schemas import Input, Moment, Output, Page, ShortText, refusal_of

_ID_NEEDED = PydanticCustomError(
    "id_of_addition",
    N_("What adds needs an id of your own, so that it is not added twice when it is sent again."),
)
_SERIAL_COUNT = PydanticCustomError(
    "quantity_of_serial", N_("A serial number is there, 1, or not, 0, and adds nothing.")
)
_NOTHING_ADDED = PydanticCustomError("quantity_of_addition", N_("What adds needs a quantity."))


class CountEntryCreate(Input):
    """What somebody counted of one item at one place."""

    item: ShortText = Field(
        description="Id, code or barcode of the item.", examples=["SPAGHETTI-500"]
    )
    location: ShortText = Field(
        description="Id or name of the location.", examples=["Main warehouse"]
    )
    lot: Code | None = Field(default=None, description="The lot, of an item that has lots.")
    serial: Code | None = Field(
        default=None,
        description="The serial number, of an item that has these: a line for each, of quantity 1 "
        "if it is there, 0 if not. One that was never seen begins once the count is posted.",
    )
    quantity: QuantityOrZero | None = Field(
        description="All that lies there, in `unit`; zero too. Null takes back what you said of "
        "it before.",
        examples=["140"],
    )
    unit: Unit | None = Field(
        default=None,
        description="What `quantity` counts: the stock unit or a pack of the item. Unless given, "
        "the pack that the barcode in `item` is printed on, or else the stock unit.",
    )
    add: bool = Field(
        default=False,
        description="Whether it lies at one more spot of the same place, and is added to what was "
        "counted there. Otherwise it is all that lies there, in place of what you said before.",
    )
    counted_at: Moment | None = Field(
        default=None, description="When it was counted; now unless given."
    )
    id: UUID | None = Field(
        default=None, description="Your own id of it: sent again it is not counted again."
    )

    @model_validator(mode="after")
    def _adds_something_once(self) -> Self:
        faults = {}
        if self.add and self.id is None:
            faults["id"] = _ID_NEEDED
        if self.add and self.quantity is None:
            faults["quantity"] = _NOTHING_ADDED
        if self.serial is not None and (self.add or self.quantity not in {None, 0, 1}):
            faults["quantity"] = _SERIAL_COUNT
        if faults:
            raise refusal_of(faults)
        return self


@dataclass(frozen=True, slots=True)
class EntryFault:
    """A line of a call that says nothing valid, and what is wrong with it."""

    errors: list[dict[str, Any]]  # As pydantic tells them.


def _valid_or_fault(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    """Return what a line says, or what is wrong with it: all lines are told of at once."""
    if isinstance(value, dict) and len(value) > len(CountEntryCreate.model_fields):
        # Told by hand: pydantic would make an error of each, in ten thousand lines.
        unknown = next(name for name in value if name not in CountEntryCreate.model_fields)
        return EntryFault([{"type": "extra_forbidden", "loc": (unknown,)}])
    try:
        return validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return EntryFault([dict(fault) for fault in found])


class CountLinesCreate(Input):
    """What was counted, all of it or nothing."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "lines": [
                        {"item": "SPAGHETTI-500", "location": "Main warehouse", "quantity": "140"}
                    ]
                }
            ]
        }
    )

    lines: Annotated[
        list[Annotated[CountEntryCreate, WrapValidator(_valid_or_fault)]],
        Field(min_length=1, max_length=LINES_MAX),
    ]

    @property
    def read_lines(self) -> list[CountEntryCreate | EntryFault]:
        """The lines as they were read."""
        return list(self.lines)


class CountEnteredRead(Output):
    """What became of the lines of a call."""

    entered: int = Field(description="Lines that said something new.", examples=[1])
    unchanged: int = Field(description="Lines that were entered before.", examples=[0])
    found: int = Field(description="Lines that were not on the list, and are now.", examples=[0])
    version: int = Field(description="Of the count.")


class CountEntryRead(Output):
    """What a counter said of a line."""

    id: UUID
    round: int = Field(description="2 or more: counted again.", examples=[1])
    counter: str = Field(examples=["user:0192f0c1-5ac4-7b3e-8f21-6a52b0c9d001"])
    quantity: DecimalText | None = Field(
        description="In stock units; null took back what he said before.", examples=["140"]
    )
    add: bool = Field(description="Whether it was added to what else was counted.")
    counted_at: datetime
    entered_at: datetime


class CountLineRead(Output):
    """A line of a count. In stock units; null is what the caller is not to see yet."""

    number: int = Field(examples=[1])
    item: str = Field(description="Code of the item.")
    item_id: UUID
    location: str
    location_id: UUID
    lot: str | None
    serial: str | None = Field(examples=[None])
    unit: str
    found: bool = Field(description="It was not on the list.", examples=[False])
    round: int = Field(description="2 or more: it is, or was, counted again.", examples=[1])
    counted: DecimalText | None = Field(
        description="What was counted; of a line that is kept from you, your own figure.",
        examples=["140"],
    )
    counted_at: datetime | None
    expected: DecimalText | None = Field(
        description="What lay there when it was counted, by all movements known; of a line that "
        "nobody has counted, what lies there now.",
        examples=["144"],
    )
    variance: DecimalText | None = Field(description="Counted less expected.", examples=["-4"])
    value: DecimalText | None = Field(
        description="What the variance is worth at the unit cost of now; null without a scope for "
        "prices.",
        examples=["-2.48"],
    )
    beyond_tolerance: bool | None = Field(examples=[True])
    disputed: bool | None = Field(description="Counters disagree on it.", examples=[False])
    moved: bool | None = Field(
        description="Its stock has moved since the opening; that is accounted for.",
        examples=[False],
    )
    result: CountResult | None = Field(
        description="What became of it when the count was posted.", examples=[None]
    )
    movement_id: UUID | None = Field(description="The count correction.", examples=[None])
    entries: list[CountEntryRead] = Field(description="What counters said, oldest first.")


Shown = Literal[
    "uncounted", "counted", "found", "recount", "disputed", "differing", "beyond_tolerance"
]


class CountLineQuery(PageQuery):
    """Which lines to list; null means any."""

    show: Shown | None = Field(
        default=None,
        description="Lines that nobody counted, that were counted, were not on the list, are to "
        "be counted again, on which counters disagree, that differ, or by too much.",
    )
    item: ShortText | None = Field(default=None, description="Id, code or barcode of an item.")
    location: ShortText | None = Field(default=None, description="Id or name of a location.")


class CountLinePage(Page[CountLineRead]): ...
