from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.inventory.items.schemas import Unit
from services.inventory.kits.rules import COMPONENTS_MAX
from services.inventory.movements.schemas import LotQuantityRead, Serials, fault_of_serials
from shared.i18n import N_
from shared.identifiers import Code
from shared.money import DecimalText, Quantity
from shared.pagination import PageQuery
from shared.schemas import (
    Input,
    Moment,
    Note,
    Output,
    Page,
    ShortText,
    refusal_of,
)

_PICK_OF_ONE = PydanticCustomError(
    "pick_of_one", N_("A pick is of a lot or of serials. Name one or the other.")
)
_SERIALS_DIFFER = PydanticCustomError(
    "serials_of_pick", N_("The quantity is not how many serials are named. Leave it out.")
)
_EXPIRY_ASTRAY = PydanticCustomError(
    "expires_on_of_lot", N_("Only a lot has an expires_on. Name the lot, or leave it out.")
)


class ComponentCreate(Input):
    """How much of an item one stock unit of a kit takes."""

    item: ShortText = Field(description="Id, code or barcode of the item.", examples=["PASTA-500"])
    quantity: Quantity = Field(description="In `unit`.", examples=["2"])
    unit: Unit | None = Field(
        default=None,
        description="What `quantity` counts: the stock unit or a pack of the item. Unless given, "
        "the pack that the barcode in `item` is printed on, or else the stock unit.",
    )


Components = Annotated[list[ComponentCreate], Field(min_length=1, max_length=COMPONENTS_MAX)]


class KitCreate(Input):
    """An item, and what it is made of from now on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "item": "HAMPER",
                    "components": [
                        {"item": "SPAGHETTI-500", "quantity": "2"},
                        {"item": "SAUCE-250", "quantity": "1"},
                    ],
                }
            ]
        }
    )

    item: ShortText = Field(description="Id, code or barcode of the item.", examples=["HAMPER"])
    components: Components


class KitReplace(Input):
    """All that a kit is made of from now on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"components": [{"item": "SPAGHETTI-500", "quantity": "3"}]}]
        }
    )

    components: Components


class ComponentRead(Output):
    """How much of an item one stock unit of a kit takes, in stock units of that item."""

    item: str = Field(description="Code of the item.", examples=["PASTA-500"])
    item_id: UUID
    name: str = Field(description="In the language of the answer.")
    quantity: DecimalText = Field(examples=["2"])
    unit: str = Field(description="The stock unit of the item.", examples=["piece"])
    is_kit: bool = Field(description="Whether the item is made of others itself.")


class KitRead(Output):
    """An item that is made of others."""

    id: UUID = Field(description="That of the item.")
    item: str = Field(description="Code of the item.", examples=["HAMPER"])
    name: str = Field(description="In the language of the answer.")
    components: list[ComponentRead] = Field(description="By their codes.")
    version: int
    created_at: datetime
    updated_at: datetime


class KitQuery(PageQuery):
    """Which kits to list; null means any."""

    component: ShortText | None = Field(
        default=None, description="Made of this item: id, code or barcode."
    )


class KitPage(Page[KitRead]): ...


class KitAvailabilityQuery(PageQuery):
    """Where a kit would be assembled."""

    location: ShortText | None = Field(
        default=None, description="Id or name of a location; all together unless given."
    )


class ComponentAvailability(ComponentRead):
    """A component, and for how many kits it is there."""

    available: DecimalText = Field(description="Stock units that may be taken.", examples=["12"])
    enough_for: DecimalText = Field(
        description="Whole kits for which what is available of it suffices.", examples=["6"]
    )


class KitAvailability(Output):
    """How many of a kit are there, and how many more could be made."""

    id: UUID = Field(description="That of the item.")
    item: str = Field(description="Code of the item.", examples=["HAMPER"])
    location: str | None = Field(description="Null: all locations that you may use.")
    available: DecimalText = Field(description="Assembled, and not reserved.", examples=["3"])
    assemblable: DecimalText = Field(
        description="Whole ones that one assembly could make of its components as they lie there: "
        "of kits within it those that are assembled.",
        examples=["6"],
    )
    assemblable_exploded: DecimalText = Field(
        description="The same of an assembly with `explode`: of what kits within it are made of, "
        "and of none of these kits themselves.",
        examples=["6"],
    )
    assemblable_in_steps: DecimalText = Field(
        description="The same of several assemblies: kits within it are taken as they lie there, "
        "and those that are missing assembled first.",
        examples=["6"],
    )
    components: list[ComponentAvailability]


class PickCreate(Input):
    """Of which lot a component is taken, or into which it comes; or which serials these are."""

    item: ShortText = Field(description="Id, code or barcode of the component.")
    lot: Code | None = Field(default=None, description="Of a component with lots.")
    serials: Serials | None = Field(default=None, description="Of a component with serials.")
    quantity: Quantity | None = Field(
        default=None,
        description="In stock units; of a lot, all that is not picked otherwise unless given. Not "
        "needed with `serials`.",
    )
    expires_on: date | None = Field(
        default=None, description="Of a lot that comes out of a kit and is new."
    )

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        faults = {}
        if (self.lot is None) is (self.serials is None):
            faults["lot"] = _PICK_OF_ONE
        if self.serials is not None:
            twice = fault_of_serials(self.serials)
            if twice is not None:
                faults["serials"] = twice
            elif self.quantity not in {None, Decimal(len(self.serials))}:
                faults["quantity"] = _SERIALS_DIFFER
        if faults:
            raise refusal_of(faults)
        return self

    @property
    def picked(self) -> Decimal | None:
        """How much of the component, in stock units; None for what is not picked otherwise."""
        return self.quantity if self.serials is None else Decimal(len(self.serials))


class AssemblyCreate(Input):
    """How many of a kit to assemble or take apart, and where."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"quantity": "10", "location": "Main warehouse"}]}
    )

    quantity: Quantity = Field(description="Kits, in `unit`.", examples=["10"])
    unit: Unit | None = Field(
        default=None, description="The stock unit of the kit or one of its packs."
    )
    location: ShortText = Field(
        description="Id or name of the location.", examples=["Main warehouse"]
    )
    explode: bool = Field(
        default=False,
        description="With kits within it as what these are made of, down to what is no kit.",
    )
    lot: Code | None = Field(
        default=None, description="The lot of the kit, if it has lots: a new one, or taken apart."
    )
    expires_on: date | None = Field(
        default=None,
        description="The last day of the kit's new lot. Unless given, and at the latest, the first "
        "day on which a lot that goes into the kits expires.",
    )
    serials: Serials | None = Field(
        default=None, description="The kits, each by its serial, if they have serials."
    )
    picks: Annotated[list[PickCreate], Field(max_length=1000)] = Field(
        default=[],
        description="Lots and serials of components. What is not picked is taken first expired "
        "first out; what comes out of a kit and has lots needs one, and serials are always named.",
    )
    reason: Note | None = Field(default=None, description="Why, in words.")
    reference: ShortText | None = Field(default=None, description="Document it belongs to.")
    occurred_at: Moment | None = Field(default=None, description="When; now unless given.")

    @model_validator(mode="after")
    def _fits_the_kit(self) -> Self:
        faults = {}
        if self.expires_on is not None and self.lot is None:
            faults["expires_on"] = _EXPIRY_ASTRAY
        twice = fault_of_serials(self.serials or [])
        if twice is not None:
            faults["serials"] = twice
        if faults:
            raise refusal_of(faults)
        return self


class AssemblyMovement(Output):
    """What an assembly did to one item."""

    id: UUID
    item: str = Field(description="Code of the item.")
    item_id: UUID
    change: DecimalText = Field(description="What it added at the location, signed.")
    balance_after: DecimalText
    lots: list[LotQuantityRead] = Field(
        description="The lots that it moved; empty for an item without lots.", examples=[[]]
    )
    serials: list[str] = Field(description="The serials that it moved.", examples=[[]])


class AssemblyRead(Output):
    """Kits assembled or taken apart: one movement of the kit, and one or more of each component."""

    id: UUID = Field(description="The movement of the kit; reversing it undoes all of them.")
    item: str = Field(description="Code of the kit.", examples=["HAMPER"])
    item_id: UUID
    location: str
    location_id: UUID
    quantity: DecimalText = Field(description="Kits, in stock units.", examples=["10"])
    unit_cost: DecimalText | None = Field(
        description="Of a kit that was assembled: what its components cost. Null where that is "
        "not known of one, is too large, or without a scope for prices."
    )
    occurred_at: datetime
    movements: list[AssemblyMovement] = Field(description="Of the components, then of the kit.")
