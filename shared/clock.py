"""The one clock. Everything that asks for the time takes it from here or is handed it."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)
