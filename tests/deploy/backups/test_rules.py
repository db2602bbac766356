from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.backups.rules import (
    KEPT_MIN,
    end_of_segment,
    is_due,
    is_reached,
    is_segment,
    kept,
    kept_daily,
    last_due,
    may_forget,
    next_segment,
    read_lsn,
    read_moment,
    segment_of,
    write_lsn,
    written,
)

MB16 = 16 * 2**20
NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Aged:
    name: str
    ended_at: datetime


def backups(*days_ago):
    return [Aged(f"{days}", NOW - timedelta(days=days)) for days in days_ago]


@given(st.integers(0, 2**64 - 1))
def test_a_position_is_read_as_it_was_written(lsn):
    assert read_lsn(write_lsn(lsn)) == lsn


@pytest.mark.parametrize("text", ["", "0", "0/", "G/0", "0/0 ", "123456789/0"])
def test_what_is_no_position_is_refused(text):
    with pytest.raises(ValueError, match="no position"):
        read_lsn(text)


@pytest.mark.parametrize(
    ("lsn", "name"),
    [
        ("0/0", "000000010000000000000000"),
        ("0/2000028", "000000010000000000000002"),
        ("0/FF000000", "0000000100000000000000FF"),
        ("1/0", "000000010000000100000000"),
        ("AB/12345678", "00000001000000AB00000012"),
    ],
)
def test_a_position_lies_in_its_file(lsn, name):
    assert segment_of(read_lsn(lsn), 1, MB16) == name
    assert is_segment(name)


@given(st.integers(0, 2**50), st.sampled_from([2**20, MB16, 2**30]), st.integers(1, 2**31))
def test_files_follow_one_another(lsn, size, timeline):
    name = segment_of(lsn, timeline, size)
    after = next_segment(name, size)

    assert end_of_segment(name, size) == (lsn // size + 1) * size
    assert segment_of(end_of_segment(name, size), timeline, size) == after > name


@pytest.mark.parametrize("name", ["00000002.history", "000000010000000000000002.partial", ""])
def test_what_is_no_whole_file(name):
    assert not is_segment(name)


def test_a_recovery_may_end_before_a_record_that_was_not_written_whole():
    wanted = read_lsn("0/3002000")  # The end of a page.

    assert is_reached(wanted, wanted)
    assert is_reached(wanted - 100, wanted)
    assert not is_reached(wanted - MB16, wanted)
    assert not is_reached(wanted - 1, wanted + 1)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20T12:00:00Z", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ("2026-11-20t12:00z", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ("2026-11-20T12:00:00.25+01:00", datetime(2026, 11, 20, 11, 0, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_with_its_offset(text, moment):
    assert read_moment(text) == moment
    assert read_moment(written(moment)) == moment


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2026-11-20", "2026-11-20T12:00:00", "20261120T120000Z"),
        *("2026-11-20T25:00:00Z", "2026-11-20 12:00:00Z"),
    ],
)
def test_a_moment_without_its_offset_is_refused(text):
    with pytest.raises(ValueError, match=r"offset|hour"):
        read_moment(text)


def test_a_run_that_was_missed_is_due_once():
    schedule = "0 2 * * *"

    assert last_due(schedule, NOW) == NOW
    assert last_due(schedule, NOW - timedelta(seconds=2)) == NOW - timedelta(days=1)
    assert is_due(schedule, None, NOW)
    assert is_due(schedule, NOW - timedelta(days=5), NOW + timedelta(hours=7))
    assert not is_due(schedule, NOW, NOW + timedelta(hours=7))
    assert not is_due(schedule, NOW + timedelta(hours=7), NOW + timedelta(hours=8))  # By hand.


def test_days_weeks_and_months_keep_their_newest():
    daily_for_two_years = backups(*range(730))

    stay = kept(daily_for_two_years, 30)

    assert {str(days) for days in range(30)} <= stay
    assert len(stay) <= 30 + 8 + 12
    months = {(NOW - timedelta(days=int(name))).strftime("%Y-%m") for name in stay}
    assert len(months) == 12
    assert [one.name for one in kept_daily(daily_for_two_years, 2)] == ["1", "0"]


def test_several_of_a_day_keep_the_newest_and_three_stay_in_any_case():
    hourly = [Aged(str(n), NOW + timedelta(hours=n)) for n in range(10)]

    assert kept(hourly, 1) == {"7", "8", "9"}


@given(st.lists(st.integers(0, 2000), unique=True, max_size=40), st.integers(1, 60))
def test_the_newest_and_at_least_three_always_stay(days, keep):
    found = backups(*days)

    stay = kept(found, keep)

    assert len(stay) >= min(KEPT_MIN, len(found))
    if days:
        assert str(min(days)) in stay


def test_a_clock_a_year_ahead_ends_no_day_that_was_kept():
    """What counts is that there is a backup of a day, not how long ago the day is."""
    found = backups(*range(20))
    leapt = [*found, Aged("leapt", NOW + timedelta(days=365))]

    assert {one.name for one in found} <= kept(leapt, 30)
    assert not may_forget(leapt, NOW + timedelta(days=365))


def test_nothing_is_removed_while_the_clock_is_not_to_be_trusted():
    hour = timedelta(hours=1)

    assert may_forget(backups(2, 1, 0), NOW + hour)
    assert not may_forget(backups(10, 3, 0), NOW + hour)  # Off for days, or a leap: who knows?
    assert not may_forget(backups(2, 1, 0), NOW + timedelta(days=400))
    assert not may_forget(backups(2, 1, 0), NOW - timedelta(days=400))
