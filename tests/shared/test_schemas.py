import pytest
from pydantic import TypeAdapter, ValidationError

from shared.schemas import Moment

MOMENT = TypeAdapter(Moment)


def test_a_moment_is_kept_in_utc():
    assert MOMENT.validate_python("2026-01-31T12:00:00+02:00").isoformat() == (
        "2026-01-31T10:00:00+00:00"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-01-31T12:00:00", "timezone_aware"),
        ("0001-01-01T00:00:00+14:00", "datetime_out_of_range"),
        ("9999-12-31T23:59:59-14:00", "datetime_out_of_range"),
    ],
)
def test_a_moment_that_is_not_one_is_refused(text, code):
    with pytest.raises(ValidationError) as refused:
        MOMENT.validate_python(text)

    assert [error["type"] for error in refused.value.errors()] == [code]
