"""When a month may go: by whole years, and by clocks that can be believed."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.journal.retention_rules import CALM_RUNS, Run, has_leapt, is_over, why_nothing_goes

NOW = datetime(2026, 11, 28, 3, tzinfo=UTC)


def runs(*ages_in_days: float, leapt: int | None = None) -> list[Run]:
    """Earlier runs, the newest first; `leapt` is the place of one whose clock had leapt."""
    return [
        Run(NOW - timedelta(days=age), place == leapt, failed=False)
        for place, age in enumerate(ages_in_days)
    ]


@pytest.mark.parametrize(
    ("month", "last_day", "first_day"),
    [
        (date(2019, 10, 1), date(2026, 10, 31), date(2026, 11, 1)),
        (date(2019, 12, 1), date(2026, 12, 31), date(2027, 1, 1)),  # The end of a year.
        (date(2020, 2, 1), date(2027, 2, 28), date(2027, 3, 1)),  # It had a leap day.
        (date(2021, 2, 1), date(2028, 2, 29), date(2028, 3, 1)),  # The day it goes is after one.
    ],
)
def test_a_month_is_over_once_its_last_day_is_so_many_years_old(month, last_day, first_day):
    assert not is_over(month, last_day, 7)
    assert is_over(month, first_day, 7)


def test_no_day_of_a_month_goes_before_it_is_so_old():
    """Every day of nine years, against the day itself so many years later."""
    day = date(2015, 12, 1)
    while day < date(2024, 12, 31):
        month = day.replace(day=1)
        for years in (1, 7):
            moved = date(day.year + years, day.month, min(day.day, 28))
            assert not is_over(month, moved, years), day
        day += timedelta(days=1)


def test_a_daily_run_may_be_missed_once():
    assert not has_leapt(NOW, runs(1))
    assert not has_leapt(NOW, runs(2))
    assert has_leapt(NOW, runs(2.1))


@pytest.mark.parametrize("days", [365, -0.1, -365])
def test_a_clock_that_leaps_either_way_removes_nothing_for_some_runs(days):
    assert "leapt" in why_nothing_goes(NOW, runs(days, days + 1))
    since = range(1, CALM_RUNS + 2)
    assert why_nothing_goes(NOW, runs(*since, leapt=CALM_RUNS - 1)) is not None
    assert why_nothing_goes(NOW, runs(*since, leapt=CALM_RUNS)) is None


def test_the_first_run_removes_nothing():
    assert why_nothing_goes(NOW, []) is not None
    assert why_nothing_goes(NOW, runs(1)) is None
