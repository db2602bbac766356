from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import FailFast, Field, model_validator
from pydantic_core import PydanticCustomError

from services.inventory.movements.rules import LINES_MAX, Direction, Kind
from shared.i18n import N_
from shared.money import Amount, DecimalText, QuantityOrZero
from shared.schemas import Input, Moment, Note, Output, Page, ShortText


class MovementCreate(Input):
    """One movement of one item."""

    kind: Kind
    item: ShortText = Field(description="Code or id of the item.", examples=["SPAGHETTI-500"])
    location: ShortText = Field(description="Name of the location.", examples=["Main warehouse"])
    to_location: ShortText | None = Field(default=None, description="Where a transfer goes.")
    quantity: QuantityOrZero = Field(
        description="Stock units, above zero. For a count correction: what was counted, zero too.",
        examples=["12"],
    )
    direction: Direction | None = Field(default=None, description="Which way an adjustment goes.")
    reason: Note | None = Field(default=None, description="Why; an adjustment must say.")
    reference: ShortText | None = Field(default=None, description="Document it belongs to.")
    occurred_at: Moment | None = Field(default=None, description="When; now unless given.")
    unit_cost: Amount | None = Field(
        default=None, description="What a unit of a receipt cost. Needs the scope `price:write`."
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.quantity == 0 and self.kind is not Kind.COUNT_CORRECTION:
            raise PydanticCustomError("quantity_zero", N_("Give a quantity greater than 0."))
        if (self.kind is Kind.TRANSFER) != (self.to_location is not None):
            raise PydanticCustomError(
                "to_location_of_transfer", N_("A transfer, and only a transfer, has a to_location.")
            )
        if self.to_location == self.location:
            raise PydanticCustomError(
                "transfer_in_place", N_("A transfer goes to another location.")
            )
        if (self.kind is Kind.ADJUSTMENT) != (self.direction is not None):
            raise PydanticCustomError(
                "direction_of_adjustment",
                N_("An adjustment, and only an adjustment, has a direction."),
            )
        if self.kind is Kind.ADJUSTMENT and self.reason is None:
            raise PydanticCustomError("reason_needed", N_("An adjustment needs a reason."))
        if self.unit_cost is not None and self.kind is not Kind.RECEIPT:
            raise PydanticCustomError(
                "unit_cost_of_receipt", N_("Only a receipt brings a unit_cost.")
            )
        return self


class MovementRead(Output):
    """A movement as the ledger holds it; of a transfer, the change at `location`."""

    id: UUID
    kind: Kind
    item: str = Field(description="Code of the item.")
    item_id: UUID
    location: str
    to_location: str | None
    quantity: DecimalText = Field(description="Stock units moved, never negative.")
    change: DecimalText = Field(description="What it added at `location`, signed.")
    balance_after: DecimalText = Field(description="On hand at `location` after it.")
    unit_cost: DecimalText | None = Field(description="Null without a scope for prices.")
    reason: str | None
    reference: str | None
    actor: str
    occurred_at: datetime
    recorded_at: datetime


class BulkCreate(Input):
    """Many movements in one call, applied in their order."""

    lines: Annotated[list[MovementCreate], Field(min_length=1, max_length=LINES_MAX), FailFast()]
    mode: Literal["atomic", "each"] = Field(
        default="atomic",
        description="atomic: all or nothing. each: whatever is possible, a result for every line.",
    )


class LineResult(Output):
    """What became of one line of a bulk call."""

    line: int = Field(description="Its place in the call, from 0.")
    status: Literal["applied", "refused", "not_applied"]
    id: UUID | None = Field(description="The movement, if applied.")
    balance_after: DecimalText | None
    code: str | None = Field(description="Why it was refused, as in a problem's `code`.")
    message: str | None
    available: DecimalText | None = Field(description="What there was, if too little.")


class BulkRead(Output):
    """The results of a bulk call, one for each line."""

    applied: int
    refused: int
    results: list[LineResult]


class MovementPage(Page[MovementRead]): ...
