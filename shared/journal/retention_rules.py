"""When a month of a journal may go, by the calendar and by clocks that can be believed."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

GRACE = timedelta(days=30)  # That a detached month's table stays beside its archive.
CLOCKS_APART_MAX = timedelta(minutes=5)  # Between this process and the database.
LEAP = timedelta(days=2)  # Longer than that a daily run does not wait for the next.
CALM_RUNS = 7  # In a row, after a leap, before anything is removed again.


class Run(NamedTuple):
    """An earlier run: when by its clock, and whether that had leapt."""

    ran_at: datetime
    leapt: bool
    failed: bool


def is_over(month: date, today: date, years: int) -> bool:
    """Say whether a month ended so many whole years ago, or more.

    month is its first day. Whole months and years only, so that no leap day makes a difference.
    """
    after = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return after.replace(year=after.year + years) <= today


def has_leapt(now: datetime, runs: Sequence[Run]) -> bool:
    """Say whether the clock went back, or on by more than two days, since the run before.

    runs are in order, the newest first.
    """
    return bool(runs) and not timedelta() <= now - runs[0].ran_at <= LEAP


def why_nothing_goes(now: datetime, runs: Sequence[Run]) -> str | None:
    """Return why nothing is removed in this run, None where it may be; runs as above."""
    if not runs:
        return "it is the first run, and has none to compare its clock with"
    if has_leapt(now, runs):
        return "the clock leapt by more than two days, or back, since the run before"
    if any(run.leapt for run in runs[:CALM_RUNS]):
        return f"the clock leapt within the last {CALM_RUNS} runs"
    return None
