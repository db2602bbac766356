import pytest

from deploy.local.rules import crashes_in_a_row, restart_delay_s


def test_pause_doubles_up_to_half_a_minute():
    assert [restart_delay_s(crashes) for crashes in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_pause_stays_finite_after_any_number_of_crashes():
    assert restart_delay_s(10_000) == 30


def test_pause_before_the_first_crash_makes_no_sense():
    with pytest.raises(ValueError, match="counts from 1"):
        restart_delay_s(0)


def test_quick_crashes_add_up_and_a_long_life_forgets_them():
    assert crashes_in_a_row(3, lived_s=59.9) == 4
    assert crashes_in_a_row(3, lived_s=60.0) == 1
