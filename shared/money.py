"""Exact numbers: quantities and amounts are decimals, from the wire to the row and back."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated

from pydantic import Field, PlainSerializer

QUANTITY_PLACES = Decimal("0.0001")  # NUMERIC(18, 4) in every schema.
AMOUNT_PLACES = Decimal("0.000001")  # Unit costs: six places, so that averages lose nothing seen.


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


DecimalText = Annotated[Decimal, PlainSerializer(plain, return_type=str, when_used="json")]
Quantity = Annotated[DecimalText, Field(gt=0, max_digits=18, decimal_places=4, allow_inf_nan=False)]
Level = Annotated[DecimalText, Field(ge=0, max_digits=18, decimal_places=4, allow_inf_nan=False)]
Amount = Annotated[DecimalText, Field(ge=0, max_digits=18, decimal_places=6, allow_inf_nan=False)]
