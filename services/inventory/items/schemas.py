from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from services.inventory.attributes.schemas import Attributes
from services.inventory.categories.schemas import CategoryReference
from services.inventory.items.rules import PACKS_MAX, Doubt
from shared.i18n import N_
from shared.identifiers import Code, identifier_key
from shared.money import Amount, DecimalText, Quantity, QuantityOrZero
from shared.pagination import Limit, PageQuery
from shared.schemas import (
    BroughtBack,
    Input,
    LocalisedName,
    Output,
    Page,
    QueryModel,
    ShortText,
    Text,
    Update,
    in_english,
    keeps_languages,
    unreadable_field,
)

ItemCode = Annotated[
    Code,
    Field(
        description="Unique name of the item: 1 to 64 visible characters, shown as typed. Letter "
        "case, width and runs of spaces make no difference: `abc` is `ABC`. No other item's code "
        "or barcode, and not in the form of an id.",
        examples=["SPAGHETTI-500"],
    ),
]
LongText = Annotated[Text, Field(max_length=2000)]
Tracking = Annotated[Literal["none", "lot", "serial"], Field(examples=["none"])]
Unit = Annotated[ShortText, StringConstraints(max_length=32), Field(examples=["each"])]


class BarcodeCreate(Input):
    """A barcode, and the unit it is printed on: who scans a case's moves a case."""

    code: Code
    unit: Unit | None = Field(
        default=None, description="One of the item's; the stock unit if none."
    )


def _of_stock_unit(value: object) -> object:
    return {"code": value} if isinstance(value, str) else value


Barcode = Annotated[
    BarcodeCreate,
    BeforeValidator(_of_stock_unit, json_schema_input_type=BarcodeCreate | Code),
    Field(examples=["8076800195057", {"code": "18076800195054", "unit": "case"}]),
]
Barcodes = Annotated[
    list[Barcode],
    Field(
        max_length=20,
        description="None is another item's code or barcode; the UPC-A, EAN-13 and GTIN-14 of one "
        "number are the same. A text alone is on the stock unit.",
    ),
]


class PackCreate(Input):
    """A unit that the item comes in, and how many stock units are in one."""

    unit: Unit = Field(examples=["case"])
    quantity: Quantity = Field(description="Stock units in one.", examples=["12"])


def _each_once(packs: list[PackCreate]) -> list[PackCreate]:
    if len({identifier_key(pack.unit) for pack in packs}) < len(packs):
        raise PydanticCustomError("pack_twice", N_("Two packs have the same unit."))
    return packs


Packs = Annotated[
    list[PackCreate],
    Field(
        max_length=PACKS_MAX,
        description="Units beside the stock unit, which movements and barcodes may name. Another "
        "quantity counts from then on; what was moved before stays as it was.",
    ),
    AfterValidator(_each_once),
]
LeadTime = Annotated[int, Field(ge=0, le=730, description="Days from order to receipt.")]


class LocalisedText(Input):
    """A text in one or both languages.

    Null, or not given, is unsaid: the other language stands for it. Empty is empty.
    """

    en: LongText | None = None
    fr: LongText | None = None


Name = Annotated[
    LocalisedName,
    BeforeValidator(in_english, json_schema_input_type=LocalisedName | ShortText),
    Field(
        description="In one or both languages; a text alone is English.",
        examples=[{"en": "Spaghetti 500 g", "fr": "Spaghetti 500 g"}],
    ),
]
Description = Annotated[
    LocalisedText,
    BeforeValidator(in_english, json_schema_input_type=LocalisedText | LongText),
    Field(description="In one or both languages; a text alone is English."),
]


class ItemFields(Input):
    """What may be said of an item, in any order."""

    category: CategoryReference | None = Field(
        default=None,
        description="Name, in either language, or id of a category. A name that is new becomes a "
        "category at the top.",
    )
    pack_unit: Unit | None = Field(
        default=None,
        description="The pack that it is ordered in; without `packs` it becomes one of them.",
        examples=["case"],
    )
    par_level: QuantityOrZero | None = Field(default=None, description="Stock units wished for.")
    reorder_point: QuantityOrZero | None = Field(
        default=None, description="Order at or below this."
    )
    reorder_quantity: Quantity | None = Field(default=None, description="Least to order.")
    maximum: QuantityOrZero | None = Field(default=None, description="Most that should lie there.")
    lead_time_days: LeadTime | None = None


class ItemCreate(ItemFields):
    """A new item."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "SPAGHETTI-500",
                    "name": {"en": "Spaghetti 500 g", "fr": "Spaghettis 500 g"},
                    "packs": [{"unit": "case", "quantity": "12"}],
                    "pack_unit": "case",
                    "reorder_point": "60",
                    "lead_time_days": 3,
                }
            ]
        }
    )

    code: ItemCode
    name: Name
    description: Description | None = None
    unit: Unit = "each"
    packs: Packs = Field(default_factory=list)
    pack_size: Quantity = Field(
        default=Decimal(1), description="Stock units in the pack that it is ordered in."
    )
    tracking: Tracking = Field(
        default="none",
        description="`lot`: what lies where is known lot by lot, with expiry. `serial`: each unit "
        "has a serial number of its own.",
    )
    barcodes: Barcodes = Field(default_factory=list)
    attributes: Attributes = Field(default_factory=dict)
    unit_cost: Amount | None = Field(default=None, description="Needs the scope `price:write`.")
    price: Amount | None = Field(default=None, description="Needs the scope `price:write`.")


class ItemUpdate(ItemFields, Update):
    """A change of an item: the fields given are set, the others stay; so do languages not given.

    Null empties a field that an item may lack, and is refused for the others.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reorder_point": "48", "barcodes": ["8076800195057"]}]}
    )

    clearable: ClassVar[frozenset[str]] = frozenset({*ItemFields.model_fields, "description"})

    code: ItemCode | None = None
    name: Annotated[Name | None, AfterValidator(keeps_languages)] = None
    description: Description | None = None
    unit: Unit | None = None
    packs: Packs | None = None
    pack_size: Quantity | None = None
    tracking: Tracking | None = Field(
        default=None, description="Cannot change once the item was moved."
    )
    barcodes: Barcodes | None = None
    attributes: Attributes | None = None
    unit_cost: Amount | None = Field(default=None, description="Needs the scope `price:write`.")
    price: Amount | None = Field(default=None, description="Needs the scope `price:write`.")
    active: BroughtBack | None = Field(default=None, description="Bring a retired item back.")


class PackRead(Output):
    """A unit that the item comes in."""

    unit: str = Field(examples=["case"])
    quantity: DecimalText = Field(description="Stock units in one.", examples=["12"])


class BarcodeRead(Output):
    """A barcode that is printed on a pack."""

    code: str
    unit: str = Field(examples=["case"])


class BarcodeDoubt(Output):
    """What may be a mistake in a barcode; it is kept as it is."""

    barcode: str = Field(examples=["8076800195058"])
    code: Doubt
    message: str = Field(examples=["The last digit does not fit the others."])


class ItemRead(Output):
    """An item with its stock over all locations, in stock units."""

    id: UUID
    code: str
    name: str = Field(description="In the language of the answer.")
    names: dict[str, str] = Field(examples=[{"en": "Spaghetti 500 g", "fr": "Spaghettis 500 g"}])
    descriptions: dict[str, str] = Field(examples=[{"en": "", "fr": ""}])
    category: str | None = Field(description="Its name in the language of the answer.")
    category_id: UUID | None
    unit: str
    packs: list[PackRead]
    pack_size: DecimalText = Field(description="Stock units in the pack that it is ordered in.")
    pack_unit: str | None
    tracking: str = Field(examples=["none"])
    barcodes: list[str | BarcodeRead] = Field(
        description="A text alone is on the stock unit.", examples=[["8076800195057"]]
    )
    warnings: list[BarcodeDoubt] = Field(
        description="What may be a mistake in the barcodes.", examples=[[]]
    )
    par_level: DecimalText | None
    reorder_point: DecimalText | None
    reorder_quantity: DecimalText | None
    maximum: DecimalText | None = Field(examples=[None])
    lead_time_days: int | None
    attributes: dict[str, Any] = Field(examples=[{"colour": "red", "weight_g": 500}])
    unit_cost: DecimalText | None = Field(description="Null without a scope for prices.")
    price: DecimalText | None = Field(description="Null without a scope for prices.")
    on_hand: DecimalText
    reserved: DecimalText
    available: DecimalText
    in_transit: DecimalText = Field(
        description="What of it is on its way between locations; it is reserved.", examples=["0"]
    )
    active: bool
    version: int
    created_at: datetime
    updated_at: datetime
    unreadable: list[Literal["unit_cost", "price"]] = unreadable_field()


class ItemSummary(Output):
    """An item in a list, with its stock over all locations."""

    id: UUID
    code: str
    name: str
    category: str | None
    category_id: UUID | None
    unit: str
    on_hand: DecimalText
    reserved: DecimalText
    available: DecimalText
    in_transit: DecimalText = Field(
        description="What of it is on its way between locations; it is reserved.", examples=["0"]
    )
    par_level: DecimalText | None
    reorder_point: DecimalText | None
    reorder_quantity: DecimalText | None
    maximum: DecimalText | None = Field(examples=[None])
    lead_time_days: int | None
    pack_size: DecimalText
    pack_unit: str | None
    active: bool
    updated_at: datetime


class ItemQuery(PageQuery):
    """Which items to list; null means any."""

    category: ShortText | None = Field(
        default=None, description="In this category or one that lies in it, by name or id."
    )
    location: ShortText | None = Field(
        default=None, description="With stock at this location, by name or id."
    )
    active: bool | None = Field(
        default=True, description="False: retired items only. Active ones only unless given."
    )
    below_par: bool = Field(
        default=False, description="Only items whose available stock is below their par level."
    )


class SearchQuery(QueryModel):
    """What to search for."""

    q: ShortText = Field(description="Name, code, category or barcode, roughly.")
    limit: Limit = 20


class ItemPage(Page[ItemSummary]): ...
