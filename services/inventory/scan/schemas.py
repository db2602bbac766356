from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from services.inventory.scan.rules import FNC1, Form
from services.inventory.stock.schemas import LookupRead
from shared.i18n import N_
from shared.money import DecimalText
from shared.schemas import Output


def _as_scanned(value: str) -> str:
    if not value.replace(FNC1, "").isprintable():
        raise PydanticCustomError("control_characters", N_("Control characters are not allowed."))
    return value


# As it was read: the group separator is the one control character that it may hold.
ScannedText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1000, strip_whitespace=True),
    AfterValidator(_as_scanned),
]


class ElementRead(Output):
    """One thing that a label of GS1 says."""

    ai: str = Field(description="GS1's application identifier.", examples=["10"])
    title: str = Field(description="What GS1 calls it.", examples=["BATCH/LOT"])
    value: str = Field(examples=["ABC123"])


class ScanRead(Output):
    """What a scanner read: the item, and what its label says of it."""

    form: Form
    item: LookupRead | None = Field(
        description="With its stock, as look-ups give it; null where no item has the number."
    )
    gtin: str | None = Field(
        description="Fourteen digits, whatever its length on the label.",
        examples=["08076800195057"],
    )
    lot: str | None
    serial: str | None = Field(examples=[None])
    serial_location: str | None = Field(
        description="Where the unit with that serial lies; null where none does, or where you may "
        "not know of it.",
        examples=[None],
    )
    expiry: date | None = Field(description="Not to be used after it.", examples=["2027-06-30"])
    best_before: date | None = Field(examples=[None])
    produced: date | None = Field(examples=[None])
    quantity: DecimalText | None = Field(
        description="How many of `unit`, if the label says: by count, or by weight where the item "
        "is counted in kg.",
        examples=[None],
    )
    unit: str | None = Field(
        description="What one is: the pack that the code is printed on, or the stock unit."
    )
    net_weight_kg: DecimalText | None = Field(examples=[None])
    sscc: str | None = Field(description="Number of the logistic unit.", examples=[None])
    elements: list[ElementRead] = Field(description="All that a label of GS1 says, in order.")
