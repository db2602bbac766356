"""What the dashboard's figures mean."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

DAYS_SHOWN = 7


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far one journal was followed; `lag_seconds` is None when nobody can tell."""

    status: Literal["current", "behind", "unknown"]
    lag_seconds: float | None


def counted(
    days: Iterable[tuple[date, str, int]], today: date
) -> tuple[dict[str, int], dict[str, int]]:
    """Return movements by kind of today, and of the last seven days with today.

    `days` are (day, kind, movements).
    """
    since = first_day_shown(today)
    of_today: Counter[str] = Counter()
    of_week: Counter[str] = Counter()
    for day, kind, movements in days:
        if since <= day <= today:
            of_week[kind] += movements
        if day == today:
            of_today[kind] += movements
    return dict(sorted(of_today.items())), dict(sorted(of_week.items()))


def first_day_shown(today: date) -> date:
    return today - timedelta(days=DAYS_SHOWN - 1)


def freshness_of(oldest_left: datetime | None, now: datetime) -> Freshness:
    """Return how fresh the figures are, given the oldest entry that is not yet in them."""
    if oldest_left is None:
        return Freshness("current", 0.0)
    return Freshness("behind", max((now - oldest_left).total_seconds(), 0.0))
