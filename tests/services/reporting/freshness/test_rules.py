from datetime import UTC, datetime, timedelta

from services.reporting.freshness.rules import CURRENT, FollowedTo, Freshness, freshness_of

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
FOLLOWED = FollowedTo(
    "inventory", xid=700, seq=40, recorded_at=NOW, applied_at=NOW, is_rebuilding=False
)


def test_with_nothing_left_to_apply_figures_are_current():
    assert freshness_of(FOLLOWED, None, 40, NOW) == CURRENT


def test_numbers_given_out_to_entries_that_were_never_committed_are_no_lag():
    assert freshness_of(FOLLOWED, None, 45, NOW) == CURRENT


def test_figures_are_as_far_behind_as_the_oldest_entry_left_is_old():
    left = NOW - timedelta(seconds=90)

    assert freshness_of(FOLLOWED, left, 47, NOW) == Freshness("behind", 90.0, 7)


def test_an_entry_that_took_its_number_before_ours_is_one_behind():
    assert freshness_of(FOLLOWED, NOW, 40, NOW) == Freshness("behind", 0.0, 1)


def test_a_producers_clock_ahead_of_ours_is_no_negative_lag():
    left = NOW + timedelta(seconds=5)

    assert freshness_of(FOLLOWED, left, 41, NOW) == Freshness("behind", 0.0, 1)
