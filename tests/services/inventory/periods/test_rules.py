from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.periods.rules import SETTLED_AFTER, is_over, open_from


def test_a_period_ends_with_the_midnight_after_its_last_day():
    assert open_from(date(2026, 2, 28)) == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "over"),
    [
        (datetime(2026, 2, 28, 23, 59, tzinfo=UTC), False),
        (datetime(2026, 3, 1, 0, 9, 59, tzinfo=UTC), False),
        (datetime(2026, 3, 1, 0, 10, tzinfo=UTC), True),
    ],
)
def test_it_may_be_closed_once_it_is_over_and_settled(now, over):
    assert is_over(date(2026, 2, 28), now) is over


@given(st.dates(), st.datetimes(timezones=st.just(UTC)))
def test_whatever_day_is_asked_what_is_recorded_now_is_never_in_a_closed_period(day, now):
    if is_over(day, now):
        assert open_from(day) <= now - SETTLED_AFTER
        assert open_from(day) - timedelta(microseconds=1) < now
