"""What a chart shows: what was sold and what is expected. `demo.plot` draws it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

HISTORY_DAYS = 120


@dataclass(frozen=True)
class Point:
    """The forecast of one day in stock units, as the API gives it."""

    date: date
    mean: float
    lower_80: float
    upper_80: float
    lower_95: float
    upper_95: float


@dataclass(frozen=True)
class Picture:
    """What one chart shows."""

    title: str
    sold: Sequence[tuple[date, float]]
    points: Sequence[Point]

    @property
    def top(self) -> float:
        """The highest value that the chart must have room for."""
        return max([n for _, n in self.sold] + [p.upper_95 for p in self.points] + [1.0])
