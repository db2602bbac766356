"""When a period may be closed, and from when on movements may be dated then."""

from datetime import UTC, date, datetime, time, timedelta

# A movement without a time happens when it is recorded: none is that long on its way.
SETTLED_AFTER = timedelta(minutes=10)


def open_from(last_day: date) -> datetime:
    """Return the first instant after a period: the midnight, in UTC, that ends its last day."""
    return datetime.combine(last_day + timedelta(days=1), time(), UTC)


def is_over(last_day: date, now: datetime) -> bool:
    """Say whether a period has ended, and all that was recorded as it happened is settled."""
    return last_day < now.date() and open_from(last_day) + SETTLED_AFTER <= now
