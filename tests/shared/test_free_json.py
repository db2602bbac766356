"""Objects of any form are held to what all other input is held to."""

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from shared.free_json import bounded

check = bounded(depth=3, size_bytes=200)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False) | st.integers()


@given(NUMBERS)
def test_a_number_comes_back_as_it_was_written_or_is_refused(number):
    try:
        kept = check({"n": number})
    except PydanticCustomError as error:
        assert error.type == "number_too_long"  # noqa: PT017 - either is right.
        return

    assert Decimal(orjson.dumps(kept["n"]).decode()) == number


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"a": {"b": {"c": {}}}}, "object_too_deep"),
        ({"a": "x" * 200}, "object_too_large"),
        ({"a\u0000": 1}, "control_characters"),
        ({"a": ["\ud800"]}, "control_characters"),
    ],
)
def test_what_goes_beyond_its_bounds_is_refused(value, code):
    with pytest.raises(PydanticCustomError) as caught:
        check(value)

    assert caught.value.type == code


def test_texts_are_normal_and_whole_numbers_whole():
    given = {" e\u0301 ": [True, None, Decimal("1.50"), Decimal("1E+3")]}

    assert check(given) == {"é": [True, None, 1.5, 1000]}
