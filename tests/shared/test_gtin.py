"""Check digits and lengths, with numbers of the GS1 General Specifications and of products."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.gtin import check_digit, find_gtin, has_gtin_form, is_pack_gtin


@pytest.mark.parametrize(
    ("text", "gtin"),
    [
        ("8076800195057", "08076800195057"),  # EAN-13
        ("18076800195054", "18076800195054"),  # The same in a case
        ("96385074", "00000096385074"),  # GTIN-8
        ("614141999996", "00614141999996"),  # UPC-A of the specification
        ("0614141999996", "00614141999996"),  # the same as EAN-13
        ("00614141999996", "00614141999996"),  # and as GTIN-14
        ("09521234543213", "09521234543213"),  # of the Digital Link standard
        ("04252614", "00042100005264"),  # UPC-E, last digit 1
        ("01234133", "00012300000413"),  # UPC-E, last digit 3
        ("01234543", "00012340000053"),  # UPC-E, last digit 4
        ("01234565", "00012345000065"),  # UPC-E, last digit 6; as a GTIN-8 it would fit too
        ("8076800195058", None),  # A wrong check digit
        ("12345678", None),
        ("00000000", None),
        ("123", None),
        ("80768001950 7", None),
        ("٨٠٧٦٨٠٠١٩٥٠٥٧", None),
        ("", None),
    ],
)
def test_numbers_of_one_trade_item_are_one(text, gtin):
    assert find_gtin(text) == gtin


@given(st.text("0123456789", min_size=7, max_size=13).filter(lambda t: len(t) in {7, 11, 12, 13}))
def test_a_number_and_all_its_longer_forms_are_one(digits):
    text = digits + check_digit(digits)
    gtin = find_gtin(text)

    assert has_gtin_form(text)
    if gtin is not None and not (len(text) == 8 and text[0] == "0"):
        assert gtin.endswith(text)
    if gtin is not None:
        assert find_gtin(gtin) == gtin
        assert is_pack_gtin(gtin) == (len(text) == 14 and text[0] in "12345678")


@given(st.text("0123456789", min_size=13, max_size=13), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(digits, error):
    right = digits + check_digit(digits)
    wrong = right[:5] + str((int(right[5]) + error) % 10) + right[6:]

    assert find_gtin(wrong) is None
