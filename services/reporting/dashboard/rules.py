"""What the dashboard's figures mean."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

DAYS_SHOWN = 7


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
