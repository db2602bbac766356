"""Exact numbers: quantities and amounts are decimals, from the wire to the row and back."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from shared.written import checked_decimal

QUANTITY_PLACES = Decimal("0.0001")  # NUMERIC(18, 4) in every schema.
AMOUNT_PLACES = Decimal("0.000001")  # Unit costs: six places, so that averages lose nothing seen.
AMOUNT_END = Decimal(10**12)  # Amounts are below it: 18 digits, six of them after the point.


def plain(value: Decimal) -> str:
    """Return the shortest plain notation: 10, not 1E+1 and not 10.0000."""
    if not value:
        return "0"
    text = format(value, "f")  # Not normalize(), which rounds to the context's 28 digits.
    return text.rstrip("0").rstrip(".") if "." in text else text


def rounded_quantity(value: Decimal) -> Decimal:
    """Return the value to four places, half to even."""
    return value.quantize(QUANTITY_PLACES, ROUND_HALF_EVEN)


def rounded_amount(value: Decimal) -> Decimal:
    """Return the value to six places, half to even."""
    return value.quantize(AMOUNT_PLACES, ROUND_HALF_EVEN)


def _decimal_schema(places: int, *, above_zero: bool) -> WithJsonSchema:
    """Return how an exact decimal is documented: text, or a number where no digit is lost."""
    whole = _DIGITS_MAX - places
    digits = rf"(0|[1-9]\d{{0,{whole - 1}}})(\.\d{{1,{places}}})?$"
    pattern = f"^(?=.*[1-9]){digits}" if above_zero else f"^{digits}"
    lowest = {"exclusiveMinimum": 0} if above_zero else {"minimum": 0}
    text, number = {"type": "string", "pattern": pattern}, {"type": "number", **lowest}
    return WithJsonSchema({"anyOf": [text, number]}, mode="validation")


_DIGITS_MAX = 18
_EXACT = BeforeValidator(checked_decimal)
_AS_TEXT = PlainSerializer(plain, return_type=str, when_used="json")
_TEXT_SCHEMA = WithJsonSchema(
    {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}, mode="serialization"
)
DecimalText = Annotated[Decimal, _AS_TEXT, _TEXT_SCHEMA]
# Bounds stand first: there pydantic checks them itself, behind a serializer in Python.
Quantity = Annotated[
    Decimal,
    Field(gt=0, max_digits=18, decimal_places=4, allow_inf_nan=False),
    _EXACT,
    _AS_TEXT,
    _TEXT_SCHEMA,
    _decimal_schema(4, above_zero=True),
]
QuantityOrZero = Annotated[
    Decimal,
    Field(ge=0, max_digits=18, decimal_places=4, allow_inf_nan=False),
    _EXACT,
    _AS_TEXT,
    _TEXT_SCHEMA,
    _decimal_schema(4, above_zero=False),
]
# Of a model that says itself what is too little, so that all of it is said at once.
AnyQuantity = Annotated[
    Decimal,
    Field(max_digits=18, decimal_places=4, allow_inf_nan=False),
    _EXACT,
    _AS_TEXT,
    _TEXT_SCHEMA,
    _decimal_schema(4, above_zero=False),
]
Amount = Annotated[
    Decimal,
    Field(ge=0, max_digits=18, decimal_places=6, allow_inf_nan=False),
    _EXACT,
    _AS_TEXT,
    _TEXT_SCHEMA,
    _decimal_schema(6, above_zero=False),
]
