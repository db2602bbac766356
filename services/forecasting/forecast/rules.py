"""Which part of a stored forecast is still ahead."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any


def points_ahead(
    points: Sequence[Mapping[str, Any]], today: date, periods: int | None
) -> list[Mapping[str, Any]]:
    """Return the points from `today` on, at most `periods` of them; they are in order of days."""
    first = today.isoformat()
    return [point for point in points if point["date"] >= first][:periods]
