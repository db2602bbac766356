"""What counts as a number, a day, a time or an id, when it comes from outside."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from shared.written import checked_decimal, checked_moment, fault_in, form_of

NO_DIGITS_OF_OURS = st.characters(categories=["Nd"], exclude_characters="0123456789")


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_a_whole_number_is_written_in_digits(number):
    assert fault_in(str(number), int) is None


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_written_in_digits_and_a_point(number):
    assert checked_decimal(f"{number:f}") == f"{number:f}"


@given(st.text(max_size=12))
def test_nothing_counts_as_a_number_that_people_would_not_read_as_one(text):
    """By what Python reads: it takes all of ours, and more."""
    try:
        taken = checked_decimal(text)
    except PydanticCustomError:
        return
    assert isinstance(taken, str)
    assert taken.isascii()
    assert Decimal(taken).is_finite()
    assert set(taken) <= set("-.0123456789")


@given(NO_DIGITS_OF_OURS)
def test_digits_of_other_scripts_do_not_count(digit):
    assert int(digit) in range(10)  # Python would take it.
    assert fault_in(digit, int) == "int_parsing"
    with pytest.raises(PydanticCustomError):
        checked_decimal(digit)


@pytest.mark.parametrize(
    "text",
    ["", " ", "1_000", "+1", " 1", "1 ", "1 000", "1,5", "1.", ".5", "1e3", "1E3", "0x1", "--1",
     "NaN", "Infinity", "-", "1.2.3", "1\n", "½"],
)  # fmt: skip
def test_what_only_looks_like_a_number_is_none(text):
    assert fault_in(text, int) == "int_parsing"
    with pytest.raises(PydanticCustomError) as refused:
        checked_decimal(text)
    assert refused.value.type == "decimal_parsing"


@pytest.mark.parametrize("value", [True, 1.5, None, [], {}, b"1"])
def test_a_decimal_is_a_text_or_an_exact_number(value):
    with pytest.raises(PydanticCustomError) as refused:
        checked_decimal(value)
    assert refused.value.type == "decimal_type"


@given(st.dates(min_value=date(1970, 1, 1), max_value=date(2099, 12, 31)))
def test_a_day_is_written_by_iso_8601(day):
    assert fault_in(day.isoformat(), date) is None


@given(st.dates(max_value=date(1969, 12, 31)) | st.dates(min_value=date(2100, 1, 1)))
def test_a_day_lies_within_the_years_of_business(day):
    assert fault_in(day.isoformat(), date) == "date_out_of_range"


@given(
    st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2099, 12, 30)),  # noqa: DTZ001 - Hypothesis adds the zone.
    st.integers(min_value=-14 * 60, max_value=14 * 60),
)
def test_a_time_is_written_by_iso_8601_with_its_offset(moment, minutes):
    text = moment.replace(tzinfo=timezone(timedelta(minutes=minutes))).isoformat()

    assert checked_moment(text) == text
    assert checked_moment(moment.isoformat() + "Z") == moment.isoformat() + "Z"


@given(st.integers() | st.floats() | st.integers().map(str) | st.decimals().map(str))
def test_a_number_is_no_time_and_no_day(number):
    with pytest.raises(PydanticCustomError) as refused:
        checked_moment(number)
    assert refused.value.type == "datetime_parsing"
    assert fault_in(str(number), date) == "date_parsing"


@pytest.mark.parametrize(
    "text",
    ["20261120", "2026-11-20 12:00:00Z", "2026-11-20T12:00:00+0200", "2026-11-20T12:00:00+02",
     "2026-W47-5", "2026-324", "20261120T120000Z", "2026-11-20T12Z", "2026-11-20t12:00:00z",
     "2026-11-20T12:00:00 02:00", "2026-11-20T12:00:00.Z", "now", "2026-11-20Z", "12:00"],
)  # fmt: skip
def test_other_ways_to_write_a_time_are_refused(text):
    with pytest.raises(PydanticCustomError):
        checked_moment(text)


def test_a_time_that_is_one_already_is_left_alone():
    moment = datetime(2026, 11, 20, tzinfo=UTC)

    assert checked_moment(moment) is moment


@given(st.uuids())
def test_an_id_is_written_in_its_canonical_form(id_):
    assert fault_in(str(id_), UUID) is None
    assert fault_in(str(id_).upper(), UUID) is None
    for other in (id_.hex, id_.urn, f"{{{id_}}}", f" {id_}"):
        assert fault_in(other, UUID) == "uuid_parsing"


@pytest.mark.parametrize("text", ["True", "TRUE", "yes", "on", "t", "y", "", "2", "01", "null"])
def test_only_true_and_false_are_truth_values(text):
    assert fault_in(text, bool) == "bool_parsing"


@pytest.mark.parametrize("text", ["true", "false", "1", "0"])
def test_a_truth_value_has_two_forms(text):
    assert fault_in(text, bool) is None


@pytest.mark.parametrize(
    ("annotation", "form"),
    [(int, int), (int | None, int), (list[UUID], UUID), (date | None, date), (bool, bool),
     (str, None), (str | None, None), (datetime, None)],
)  # fmt: skip
def test_the_form_of_a_parameter_is_that_of_its_type(annotation, form):
    assert form_of(annotation) is form
