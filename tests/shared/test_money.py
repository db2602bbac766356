import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.money import (
    Amount,
    DecimalText,
    Quantity,
    QuantityOrZero,
    plain,
    rounded_amount,
    rounded_quantity,
)
from shared.schemas import Input, Output

quantities = st.decimals(
    min_value="0.0001", max_value="99999999999999.9999", places=4, allow_nan=False
)


class Order(Input):
    quantity: Quantity = Decimal(1)
    level: QuantityOrZero = Decimal(0)
    amount: Amount = Decimal(0)


class Shown(Output):
    value: DecimalText


@given(quantities)
def test_a_quantity_comes_back_exactly_from_text_and_from_json(quantity):
    read = Order.model_validate({"quantity": plain(quantity)})
    shown = json.loads(Shown(value=read.quantity).model_dump_json())["value"]

    assert read.quantity == quantity
    assert Decimal(shown) == quantity


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, max_value=10**12))
def test_plain_is_the_same_number_without_exponent_or_idle_zeros(value):
    text = plain(value)

    assert Decimal(text) == value
    assert "E" not in text
    assert not ("." in text and text.endswith("0"))


@pytest.mark.parametrize(
    ("value", "text"),
    [("10", "10"), ("1E+1", "10"), ("10.0000", "10"), ("-0", "0"), ("0.0000", "0"),
     ("0.0001", "0.0001"), ("-2.50", "-2.5"), ("1E-6", "0.000001")],
)  # fmt: skip
def test_plain_writes_numbers_as_people_do(value, text):
    assert plain(Decimal(value)) == text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity", "0"), ("quantity", "-1"), ("quantity", "0.00001"), ("quantity", "NaN"),
        ("quantity", "Infinity"), ("quantity", "1e400"), ("quantity", "100000000000000.0001"),
        ("quantity", ""), ("quantity", "1,5"), ("quantity", "٣x"), ("quantity", True),
        ("quantity", None), ("quantity", [1]), ("level", "-0.0001"), ("amount", "0.0000001"),
        ("amount", "-1"), ("amount", "1000000000000.000001"),
    ],
)  # fmt: skip
def test_what_is_no_such_number_is_refused(field, value):
    with pytest.raises(ValidationError):
        Order.model_validate({field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [("quantity", "0.0001"), ("quantity", "99999999999999.9999"), ("level", "0"),
     ("amount", "0.000001"), ("amount", "999999999999.999999"), ("quantity", 12)],
)  # fmt: skip
def test_the_bounds_themselves_are_accepted(field, value):
    assert getattr(Order.model_validate({field: value}), field) == Decimal(value)


def test_a_thousand_tenths_are_a_hundred():
    tenth = Order.model_validate({"quantity": "0.1"}).quantity

    assert sum([tenth] * 1000, Decimal(0)) == 100


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=9, allow_nan=False))
def test_rounding_moves_by_half_a_step_at_most(value):
    assert abs(rounded_quantity(value) - value) <= Decimal("0.00005")
    assert abs(rounded_amount(value) - value) <= Decimal("0.0000005")


def test_halves_go_to_even():
    assert rounded_quantity(Decimal("0.00005")) == 0
    assert rounded_quantity(Decimal("0.00015")) == Decimal("0.0002")
    assert rounded_amount(Decimal("0.0000025")) == Decimal("0.000002")


@pytest.mark.parametrize(
    ("kind", "pattern", "lowest"),
    [
        (Quantity, r"^(?=.*[1-9])(0|[1-9]\d{0,13})(\.\d{1,4})?$", {"exclusiveMinimum": 0}),
        (QuantityOrZero, r"^(0|[1-9]\d{0,13})(\.\d{1,4})?$", {"minimum": 0}),
        (Amount, r"^(0|[1-9]\d{0,11})(\.\d{1,6})?$", {"minimum": 0}),
    ],
)
def test_the_documents_say_how_a_number_is_sent(kind, pattern, lowest):
    assert TypeAdapter(kind).json_schema(mode="validation") == {
        "anyOf": [{"type": "string", "pattern": pattern}, {"type": "number"} | lowest]
    }
