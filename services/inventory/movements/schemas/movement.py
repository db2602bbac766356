"""One movement: as it is asked for and told, the list of them, and their reason codes."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.inventory.items.schemas import Unit
from services.inventory.ledger.rules import REASON_CODES, SERIALS_MAX, Kind, MovementReason
from services.inventory.openings.schemas import KeptFrom
from shared.i18n import N_
from shared.i18n.validation import MESSAGES
from shared.identifiers import Code, identifier_key
from shared.money import Amount, AnyQuantity, DecimalText
from shared.pagination import PageQuery
from shared.schemas import (
    Input,
    Moment,
    Note,
    Output,
    Page,
    ShortText,
    refusal_of,
    unreadable_field,
)


class Direction(StrEnum):
    """Which way an adjustment or a return goes."""

    IN = "in"
    OUT = "out"


_TOO_FEW = PydanticCustomError("greater_than", MESSAGES["greater_than"], {"gt": 0})
_BELOW_ZERO = PydanticCustomError("greater_than_equal", MESSAGES["greater_than_equal"], {"ge": 0})
_IN_PLACE = PydanticCustomError(
    "transfer_in_place", N_("A transfer goes to another location. Give another to_location.")
)
_GOAL_MISSING = PydanticCustomError(
    "to_location_of_transfer", N_("A transfer needs a to_location: where it goes.")
)
_GOAL_ASTRAY = PydanticCustomError(
    "to_location_of_transfer", N_("Only a transfer has a to_location. Leave it out.")
)
_DIRECTION_MISSING = PydanticCustomError(
    "direction_of_adjustment", N_("An adjustment needs a direction: in or out.")
)
_DIRECTION_ASTRAY = PydanticCustomError(
    "direction_of_adjustment",
    N_("Only an adjustment or a return has a direction. Leave it out."),
)
_REASON_MISSING = PydanticCustomError(
    "reason_needed", N_("An adjustment needs a reason or a reason_code.")
)
_OTHER_UNTOLD = PydanticCustomError(
    "reason_needed", N_("The reason_code `other` needs a reason: say which in words.")
)
_CODE_MISSING = PydanticCustomError("reason_code_needed", N_("A write-off needs a reason_code."))
_CODE_ASTRAY = PydanticCustomError(
    "reason_code_of_kind",
    N_("This kind of movement has no such reason_code. See /api/inventory/movements/reason-codes."),
)
_KIND_ELSEWHERE = PydanticCustomError(
    "kind_of_reversal",
    N_("A reversal is recorded at /api/inventory/movements/{movement_id}/reverse."),
)
_KIND_OF_KIT = PydanticCustomError(
    "kind_of_kit", N_("Kits are assembled and taken apart at /api/inventory/kits/{kit_id}.")
)
_COST_ASTRAY = PydanticCustomError(
    "unit_cost_of_receipt", N_("Only a receipt brings a unit_cost. Leave it out.")
)

_EXPIRY_ASTRAY = PydanticCustomError(
    "expires_on_of_receipt", N_("Only a receipt that names a lot has an expires_on. Leave it out.")
)
_QUANTITY_MISSING = PydanticCustomError("missing", MESSAGES["missing"])
_SERIALS_MISSING = PydanticCustomError(
    "serials_of_count", N_("Name a serial at least; only a count may find none.")
)

Serials = Annotated[list[Code], Field(max_length=SERIALS_MAX, examples=[["SN-0001", "SN-0002"]])]


def fault_of_serials(serials: list[str]) -> PydanticCustomError | None:
    """Return what is wrong with serials of which one is named twice."""
    keys: dict[str, None] = {}
    for serial in serials:
        key = identifier_key(serial)
        if key in keys:
            return PydanticCustomError(
                "serial_twice",
                N_("The serial {serial} is named twice. Name each once."),
                {"serial": serial},
            )
        keys[key] = None
    return None


class MovementCreate(Input):
    """One movement of one item."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "receipt",
                    "item": "SPAGHETTI-500",
                    "location": "Main warehouse",
                    "quantity": "144",
                    "unit_cost": "0.62",
                }
            ]
        }
    )

    kind: Kind
    item: ShortText = Field(
        description="Id, code or barcode of the item.", examples=["SPAGHETTI-500"]
    )
    location: ShortText = Field(
        description="Id or name of the location.", examples=["Main warehouse"]
    )
    to_location: ShortText | None = Field(default=None, description="Where a transfer goes.")
    quantity: AnyQuantity | None = Field(
        default=None,
        description="In `unit`, above zero. For a count correction: what was counted, zero too. "
        "Not needed with `serials`, else as many stock units as these.",
        examples=["12"],
    )
    unit: Unit | None = Field(
        default=None,
        description="What `quantity` counts: the stock unit or a pack of the item. Unless given, "
        "the pack that the barcode in `item` is printed on, or else the stock unit.",
    )
    lot: Code | None = Field(
        default=None,
        description="The lot, of an item that has lots. What comes in or is counted needs it; "
        "where it is not named, the lots that expire first go out first.",
    )
    expires_on: date | None = Field(
        default=None,
        description="The last day, by UTC, on which the lot may be issued; said by its first "
        "receipt.",
    )
    serials: Serials | None = Field(
        default=None,
        description="Of an item with serial numbers all units that move, or that a count found, "
        "each by its own.",
    )
    direction: Direction | None = Field(
        default=None,
        description="Which way an adjustment goes; or a return, `in` from a customer unless "
        "given, `out` to a supplier.",
    )
    reason_code: MovementReason | None = Field(
        default=None,
        description="Why, in one word: a write-off must say, an adjustment or a return may.",
    )
    reason: Note | None = Field(
        default=None,
        description="Why, in words; needed by an adjustment without a reason_code, and by `other`.",
    )
    reference: ShortText | None = Field(default=None, description="Document it belongs to.")
    occurred_at: Moment | None = Field(
        default=None,
        description="When; now unless given. A date alone is its midnight in UTC.",
    )
    unit_cost: Amount | None = Field(
        default=None,
        description="What a stock unit of a receipt cost. Needs the scope `price:write`.",
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        kind, faults = self.kind, {}
        if kind is Kind.REVERSAL:
            faults["kind"] = _KIND_ELSEWHERE
        if kind in {Kind.ASSEMBLY, Kind.DISASSEMBLY}:
            faults["kind"] = _KIND_OF_KIT
        is_transfer, is_adjustment = kind is Kind.TRANSFER, kind is Kind.ADJUSTMENT
        faults |= self._faults_of_quantity()
        if is_transfer is (self.to_location is None):
            faults["to_location"] = _GOAL_MISSING if is_transfer else _GOAL_ASTRAY
        elif self.to_location == self.location:
            faults["to_location"] = _IN_PLACE
        if is_adjustment and self.direction is None:
            faults["direction"] = _DIRECTION_MISSING
        elif self.direction is not None and kind not in {Kind.ADJUSTMENT, Kind.RETURN}:
            faults["direction"] = _DIRECTION_ASTRAY
        faults |= self._faults_of_reason()
        faults |= self._faults_of_what_comes()
        if faults:
            raise refusal_of(faults)
        return self

    def _faults_of_quantity(self) -> dict[str, PydanticCustomError]:
        faults, is_count = {}, self.kind is Kind.COUNT_CORRECTION
        if self.quantity is None:
            if self.serials is None or self.unit is not None:
                faults["quantity"] = _QUANTITY_MISSING
        elif self.quantity <= 0 and not is_count:
            faults["quantity"] = _TOO_FEW
        elif self.quantity < 0:
            faults["quantity"] = _BELOW_ZERO
        if self.serials is not None:
            fault = fault_of_serials(self.serials)
            if not self.serials and not is_count:
                fault = _SERIALS_MISSING
            if fault is not None:
                faults["serials"] = fault
        return faults

    def _faults_of_what_comes(self) -> dict[str, PydanticCustomError]:
        faults, is_receipt = {}, self.kind is Kind.RECEIPT
        if self.unit_cost is not None and not is_receipt:
            faults["unit_cost"] = _COST_ASTRAY
        if self.expires_on is not None and (not is_receipt or self.lot is None):
            faults["expires_on"] = _EXPIRY_ASTRAY
        return faults

    def _faults_of_reason(self) -> dict[str, PydanticCustomError]:
        kind, code = self.kind, self.reason_code
        if code is not None and code not in REASON_CODES.get(kind, ()):
            return {"reason_code": _CODE_ASTRAY}
        if code is None and kind is Kind.WRITE_OFF:
            return {"reason_code": _CODE_MISSING}
        if self.reason is None and code is MovementReason.OTHER:
            return {"reason": _OTHER_UNTOLD}
        if self.reason is None and code is None and kind is Kind.ADJUSTMENT:
            return {"reason": _REASON_MISSING}
        return {}

    @property
    def number(self) -> Decimal:
        """The quantity, or how many serials it names."""
        return Decimal(len(self.serials or ())) if self.quantity is None else self.quantity

    @property
    def change(self) -> Decimal | None:
        """What it adds at its location; None for a count, whose change depends on the stock."""
        match self.kind:
            case Kind.COUNT_CORRECTION:
                return None
            case Kind.ISSUE | Kind.TRANSFER | Kind.WRITE_OFF:
                return -self.number
            case Kind.ADJUSTMENT | Kind.RETURN if self.direction is Direction.OUT:
                return -self.number
            case _:
                return self.number


class GivenRead(Output):
    """A quantity as it was given: so many of a unit."""

    quantity: DecimalText
    unit: str


class LotQuantityRead(Output):
    """How much of one lot moved, in stock units, never negative."""

    lot: str | None = Field(description="Null: of no lot that is known.")
    quantity: DecimalText


class MovementRead(Output):
    """A movement as the ledger holds it; of a transfer, the change at `location`."""

    id: UUID
    kind: Kind
    item: str = Field(description="Code of the item.")
    item_id: UUID
    location: str
    to_location: str | None = Field(
        description="Of a transfer; null too where you may not know of it."
    )
    quantity: DecimalText = Field(description="Stock units moved, never negative.")
    given: GivenRead | None = Field(
        description="The quantity as it was given, where a unit was named.", examples=[None]
    )
    change: DecimalText = Field(description="What it added at `location`, signed.")
    balance_after: DecimalText = Field(
        description="On hand at `location` after it; of an item with lots or serials, of these."
    )
    lots: list[LotQuantityRead] = Field(
        description="The lots that it moved; empty for an item without lots.", examples=[[]]
    )
    serials: list[str] = Field(
        description="The serials that it moved; of a count those that came or left.", examples=[[]]
    )
    unit_cost: DecimalText | None = Field(
        description="The unit cost that it brought; null if none, or without a scope for prices."
    )
    reverses: UUID | None = Field(
        description="The movement that it undid, if it is a reversal.", examples=[None]
    )
    reversed_by: UUID | None = Field(
        description="The movement by which it was undone.", examples=[None]
    )
    part_of: UUID | None = Field(
        description="Of the assembly of a kit: the movement of the kit, which the others belong "
        "to. They are reversed together.",
        examples=[None],
    )
    reason_code: MovementReason | None
    reason: str | None
    reference: str | None
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    backdated: bool = Field(
        description="Recorded after a later movement of the same item, location and lot; of "
        "serials, after a later one of such a serial."
    )
    unreadable: list[Literal["unit_cost"]] = unreadable_field()


class SingleMovementRead(MovementRead):
    """A movement by its id: whole, where it begins or else where you may know of it."""

    version: int = Field(description="1, and 2 once it was undone: nothing else changes.")


class ReversalCreate(Input):
    """Why a movement is undone, and when."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "Typed 100 instead of 10."}]}
    )

    reason: Note = Field(description="Why.", examples=["Typed 100 instead of 10."])
    dated: Literal["now", "original"] = Field(
        default="now",
        description="When: `now`, or at the time of the original, as if it had never been.",
    )


class MovementQuery(PageQuery):
    """Which movements to list; null means any."""

    item: ShortText | None = Field(default=None, description="Id, code or barcode of an item.")
    location: ShortText | None = Field(default=None, description="Id or name of a location.")
    lot: Code | None = Field(
        default=None, description="Of this lot or serial only, of whichever item."
    )
    kind: Kind | None = Field(default=None, description="Of this kind only.")
    reference: ShortText | None = Field(default=None, description="With exactly this reference.")
    from_time: Moment | None = Field(
        default=None, alias="from", description="Happened then or later."
    )
    to_time: Moment | None = Field(default=None, alias="to", description="Happened before.")


class MovementPage(Page[MovementRead]):
    kept_from: KeptFrom


class MovementReasonRead(Output):
    """A reason code, what it is called, and the kinds of movement that take it."""

    code: MovementReason
    label: str = Field(examples=["Damaged"])
    kinds: list[Kind]


class MovementReasonsRead(Output):
    """All reason codes, in the order in which to offer them."""

    items: list[MovementReasonRead]
