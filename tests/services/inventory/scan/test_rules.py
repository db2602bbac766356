"""What labels say, by examples of the GS1 General Specifications and the Digital Link standard."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.scan.rules import (
    FNC1,
    CheckDigitError,
    Form,
    LabelUnreadableError,
    readings,
)

GTIN = "09521234543213"


def the_one(value):
    (reading,) = readings(value)
    return reading


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (f"]C101{GTIN}10ABC123{FNC1}17270630", {"lot": "ABC123", "expiry": date(2027, 6, 30)}),
        (f"]d2{FNC1}01{GTIN}17270200", {"expiry": date(2027, 2, 28)}),  # Day 00 is the last.
        (f"]Q301{GTIN}21SN/1{FNC1}", {"serial": "SN/1"}),
        (f"]e001{GTIN}3103001750", {"net_weight_kg": Decimal("1.750")}),
        (f"02{GTIN}3724{FNC1}10L1", {"count": 24, "lot": "L1"}),
        (f"01{GTIN}3012{FNC1}15280229", {"count": 12, "best_before": date(2028, 2, 29)}),
        (f"{FNC1}01{GTIN}11260101{FNC1}20AB"[:-2] + "01", {"produced": date(2026, 1, 1)}),
        (f"(01){GTIN}(17)270630(10)A(1)B", {"lot": "A(1)B", "expiry": date(2027, 6, 30)}),
        (f"(01) {GTIN} (3102) 000195", {"net_weight_kg": Decimal("1.95")}),
        (f"https://id.gs1.org/01/{GTIN}/10/ABC%2F1/21/12?17=270630", {"lot": "ABC/1"}),
        (f"https://example.com/some/path/01/{GTIN[1:]}?3103=000195", {"lot": None}),
        (f"HTTPS://EXAMPLE.COM/01/{GTIN}", {"serial": None}),
    ],
)
def test_a_label_of_gs1_says(value, said):
    reading = the_one(value)

    assert reading.gtin == GTIN
    assert {name: getattr(reading, name) for name in said} == said
    assert reading.form in {Form.ELEMENT_STRING, Form.DIGITAL_LINK}


def test_a_logistic_unit_has_a_number_of_its_own():
    reading = the_one("]C100106141412345678908")

    assert (reading.sscc, reading.code) == ("106141412345678908", None)


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (f"]C101{GTIN}", None),
        ("]C1", ""),
        (f"]C101{GTIN}17271399", "17271399"),
        (f"]C101{GTIN}XY", "XY"),
        (f"]C110{'A' * 21}", f"10{'A' * 21}"),  # Without FNC1 nothing is guessed.
        (f"(01){GTIN}(05)1", "(05)1"),
        (f"(01){GTIN}(10)A(10)B", "(10)B"),
        ("]C130", "(30)"),
        (f"(01){GTIN}(21)", "(21)"),
        (f"(01){GTIN}(30)٣", "(30)٣"),
        ("https://id.gs1.org/01/0952123454321X", "https://id.gs1.org/01/0952123454321X"),
    ],
)
def test_what_breaks_the_rules_is_told_from_where_on(value, part):
    if part is None:
        assert the_one(value).code == GTIN
        return

    with pytest.raises(LabelUnreadableError) as caught:
        readings(value)

    assert caught.value.part == part


def test_a_wrong_check_digit_on_a_label_is_told():
    with pytest.raises(CheckDigitError) as caught:
        readings("]C10109521234543214")

    assert caught.value.number == "09521234543214"


@pytest.mark.parametrize(
    ("value", "form", "gtin"),
    [
        ("8076800195057", Form.GTIN, "08076800195057"),
        ("]E08076800195057", Form.GTIN, "08076800195057"),
        ("SPAGHETTI-500", Form.CODE, None),
        ("]C0SPAGHETTI", Form.CODE, None),
        ("https://example.com/my-page", Form.CODE, None),
        ("0109521234543214", Form.CODE, None),
    ],
)
def test_any_other_text_is_a_code(value, form, gtin):
    reading = the_one(value)

    assert (reading.form, reading.gtin) == (form, gtin)
    assert reading.code == value.removeprefix("]E0").removeprefix("]C0")


def test_an_element_string_without_marks_may_be_a_code_too():
    assert [way.form for way in readings(f"01{GTIN}10AB")] == [Form.CODE, Form.ELEMENT_STRING]


@given(st.text(max_size=60) | st.text("01237]C()/d:ht\x1d", max_size=40))
def test_any_text_is_read_or_refused(value):
    try:
        found = readings(value)
    except (LabelUnreadableError, CheckDigitError):
        return

    assert found
