"""Many movements in one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    ConfigDict,
    FailFast,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.inventory.ledger.rules import LINES_MAX, SERIALS_MAX
from services.inventory.movements.schemas.movement import MovementCreate
from shared.i18n import N_
from shared.money import DecimalText
from shared.schemas import Input, Output, refusal_of

_TOO_MANY = PydanticCustomError(
    "too_many_serials",
    N_("Too many serials in all lines together; at most: {most}. Send them in several calls."),
    {"most": SERIALS_MAX},
)


@dataclass(frozen=True, slots=True)
class LineFault:
    """A line of a bulk call that is no valid movement, and what is wrong with it."""

    errors: list[dict[str, Any]]  # As pydantic tells them.


def _valid_or_fault(
    value: object, validate: ValidatorFunctionWrapHandler, info: ValidationInfo
) -> object:
    """Return the movement that a line is; in mode each a bad line is set aside, not raised."""
    each = info.data.get("mode") == "each"
    if each and isinstance(value, dict) and len(value) > len(MovementCreate.model_fields):
        # Told by hand: pydantic would make an error of each, in ten thousand lines.
        unknown = next(name for name in value if name not in MovementCreate.model_fields)
        return LineFault([{"type": "extra_forbidden", "loc": (unknown,)}])
    try:
        return validate(value)
    except ValidationError as error:
        if each:
            found = error.errors(include_url=False, include_input=False)
            return LineFault([dict(fault) for fault in found])
        raise


class BulkCreate(Input):
    """Many movements in one call, applied in their order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "mode": "each",
                    "lines": [
                        {
                            "kind": "issue",
                            "item": "SPAGHETTI-500",
                            "location": "Main warehouse",
                            "quantity": "2",
                        }
                    ],
                }
            ]
        }
    )

    # Before the lines, which are read by it.
    mode: Literal["atomic", "each"] = Field(
        default="atomic",
        description="atomic: all or nothing. each: whatever is possible, a result for every line. "
        "What is worth more than you may change alone waits for approval: of an atomic call all of "
        "it (202), if it is of write-offs, adjustments, counts and returns alone; otherwise such "
        "a line.",
    )
    lines: Annotated[
        list[Annotated[MovementCreate, WrapValidator(_valid_or_fault)]],
        Field(min_length=1, max_length=LINES_MAX),
        FailFast(),
    ]

    @model_validator(mode="after")
    def _names_serials_within_bounds(self) -> Self:
        lines = (line for line in self.lines if isinstance(line, MovementCreate))
        if sum(len(line.serials or ()) for line in lines) > SERIALS_MAX:
            raise refusal_of({"lines": _TOO_MANY})
        return self

    @property
    def read_lines(self) -> Sequence[MovementCreate | LineFault]:
        """The lines as they were read; those that are no movements only in mode each."""
        return self.lines


class ElsewhereRead(Output):
    """What is available of an item at another location."""

    location: str
    available: DecimalText


class NextReceiptRead(Output):
    """What of an item is expected next, in stock units."""

    location: str
    quantity: DecimalText
    expected_at: datetime


class LineResult(Output):
    """What became of one line of a bulk call."""

    line: int = Field(description="Its place in the call, from 0.")
    status: Literal["applied", "refused", "not_applied", "approval_needed"]
    id: UUID | None = Field(description="The movement, if applied.")
    balance_after: DecimalText | None
    code: str | None = Field(
        description="Why it was refused, as in a problem's `code`.", examples=[None]
    )
    message: str | None = Field(examples=[None])
    available: DecimalText | None = Field(
        description="What there was, if too little.", examples=[None]
    )
    on_hand: DecimalText | None = Field(
        description="What lay there, if too little.", examples=[None]
    )
    reserved: DecimalText | None = Field(description="What of it was reserved.", examples=[None])
    elsewhere: list[ElsewhereRead] | None = Field(
        description="Other locations that have some, if too little: at most five, the most first.",
        examples=[None],
    )
    next_receipt: NextReceiptRead | None = Field(
        description="What is expected next, there or else anywhere, if too little.",
        examples=[None],
    )
    approval: UUID | None = Field(
        description="The approval that it waits for, if it needs one.", examples=[None]
    )


class BulkRead(Output):
    """The results of a bulk call, one for each line."""

    applied: int
    refused: int
    waiting: int = Field(description="Lines that wait for an approval.", examples=[0])
    results: list[LineResult]
