from datetime import UTC, date, datetime, timedelta

from services.reporting.dashboard.rules import (
    Freshness,
    counted,
    first_day_shown,
    freshness_of,
)

TODAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_movements_are_counted_for_today_and_for_seven_days_with_it():
    days = [
        (TODAY, "issue", 3),
        (TODAY, "receipt", 1),
        (date(2026, 3, 9), "issue", 10),
        (date(2026, 3, 4), "issue", 100),
        (date(2026, 3, 3), "issue", 1000),
        (date(2026, 3, 11), "issue", 5000),
    ]

    assert counted(days, TODAY) == ({"issue": 3, "receipt": 1}, {"issue": 113, "receipt": 1})


def test_a_quiet_week_counts_nothing():
    assert counted([], TODAY) == ({}, {})


def test_the_week_begins_six_days_ago():
    assert first_day_shown(TODAY) == date(2026, 3, 4)


def test_with_nothing_left_to_apply_figures_are_current():
    assert freshness_of(None, NOW) == Freshness("current", 0.0)


def test_figures_are_as_far_behind_as_the_oldest_entry_left_is_old():
    assert freshness_of(NOW - timedelta(seconds=90), NOW) == Freshness("behind", 90.0)


def test_a_producers_clock_ahead_of_ours_is_no_negative_lag():
    assert freshness_of(NOW + timedelta(seconds=5), NOW) == Freshness("behind", 0.0)
