from datetime import date

from services.reporting.dashboard.rules import counted, first_day_shown

TODAY = date(2026, 3, 10)


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


def test_what_is_told_in_parts_is_added_up():
    assert counted([(TODAY, "issue", 3), (TODAY, "issue", 4)], TODAY) == (
        {"issue": 7},
        {"issue": 7},
    )
