"""A daily demand series: what was wanted, when it could not be seen, and what is known ahead."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
DemandClass: TypeAlias = Literal["smooth", "erratic", "intermittent", "lumpy"]

SEASON = 7  # Days in the season of daily demand.
ADI_LIMIT = 1.32  # Syntetos, Boylan & Croston, JORS 56 (2005), 495-503.
CV2_LIMIT = 0.49  # Same source.
DEAD_AFTER_DAYS = 90
DEAD_AFTER_INTERVALS = 4.0
CLOSED_WEEKDAY_WEEKS = 8


@dataclass(frozen=True, eq=False)
class KnownAhead:
    """What is known about the days after the series: closures, and every regressor's values."""

    closed: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    regressors: Mapping[str, FloatArray] = field(default_factory=dict)

    def is_closed(self, horizon: int) -> BoolArray:
        """Mask of the next `horizon` days; days nothing is known about count as open."""
        closed = np.zeros(horizon, dtype=np.bool_)
        known = self.closed[:horizon]
        closed[: len(known)] = known
        return closed


@dataclass(frozen=True, eq=False)
class DemandSeries:
    """Demand per day in stock units, without gaps, from `start` on.

    `censored` days had no stock, so their sales are not demand; on `closed` days nobody could buy.
    Both are left out of training. `regressors` are aligned with `quantity`; `known` goes on from
    its last day. `country` (ISO 3166 alpha-2) selects public holidays.
    Raises ValueError for unequal lengths and for negative or non-finite quantities.
    """

    start: date
    quantity: FloatArray
    censored: BoolArray
    closed: BoolArray
    regressors: Mapping[str, FloatArray] = field(default_factory=dict)
    known: KnownAhead = field(default_factory=KnownAhead)
    country: str | None = None

    def __post_init__(self) -> None:
        size = len(self.quantity)
        columns = (self.censored, self.closed, *self.regressors.values())
        if any(len(column) != size for column in columns):
            raise ValueError("every column of a demand series must have one value per day")
        if not np.all(np.isfinite(self.quantity)) or np.any(self.quantity < 0):
            raise ValueError("demand must be finite and not negative")

    def __len__(self) -> int:
        return len(self.quantity)

    @property
    def end(self) -> date:
        """The last day of the series."""
        return self.start + timedelta(days=len(self) - 1)

    @property
    def usable(self) -> BoolArray:
        """Days whose quantity is demand: neither censored nor closed."""
        return ~(self.censored | self.closed)

    @property
    def demand(self) -> FloatArray:
        """Quantity per day, NaN where it says nothing about demand."""
        return np.where(self.usable, self.quantity, np.nan)

    @property
    def history_max(self) -> float:
        """The largest demand of a day, 0 for an empty series."""
        return float(self.quantity.max(initial=0.0))

    def weekday(self, offset: int = 0) -> int:
        """Weekday (Monday 0) of the day `offset` days after `start`."""
        return (self.start.weekday() + offset) % SEASON

    def window(self, first: int, stop: int, horizon: int) -> DemandSeries:
        """Days `first` to `stop` (excluded); the `horizon` days after are what is known ahead."""
        ahead = slice(stop, stop + horizon)
        return replace(
            self,
            start=self.start + timedelta(days=first),
            quantity=self.quantity[first:stop],
            censored=self.censored[first:stop],
            closed=self.closed[first:stop],
            regressors={name: values[first:stop] for name, values in self.regressors.items()},
            known=KnownAhead(
                closed=self.closed[ahead],
                regressors={name: values[ahead] for name, values in self.regressors.items()},
            ),
        )

    def last_days(self, days: int) -> DemandSeries:
        """The newest `days` days, or the whole series when it is shorter."""
        if len(self) <= days:
            return self
        return replace(self.window(len(self) - days, len(self), 0), known=self.known)

    def since_first_demand(self) -> DemandSeries:
        """The series without the days before the first demand: the item was not sold yet."""
        first = int(np.argmax(self.quantity > 0)) if np.any(self.quantity > 0) else 0
        return replace(self.window(first, len(self), 0), known=self.known)

    def data_hash(self) -> str:
        """SHA-256 over everything a model is trained on, as hexadecimal text."""
        digest = hashlib.sha256(f"{self.start.isoformat()}|{self.country}|{len(self)}".encode())
        for column in (self.quantity, self.censored, self.closed):
            digest.update(np.ascontiguousarray(column).tobytes())
        for name in sorted(self.regressors):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(self.regressors[name]).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class DemandProfile:
    """How an item sells. `interval_days` is the ADI, `size_cv2` the squared variation of sizes."""

    demand_class: DemandClass
    interval_days: float
    size_cv2: float
    zero_share: float
    is_dead: bool

    @property
    def is_intermittent(self) -> bool:
        return self.demand_class in {"intermittent", "lumpy"}


def profile(series: DemandSeries) -> DemandProfile:
    """Classify a series by demand interval and size variation; tell items nobody wants any more.

    An item is dead after max(90 days, 4 x ADI) usable days without demand.
    """
    usable = series.demand[series.usable]
    positive = usable > 0
    sizes = usable[positive]
    if sizes.size == 0:
        return DemandProfile("intermittent", float(max(len(usable), 1)), 0.0, 1.0, is_dead=True)
    interval = len(usable) / sizes.size
    cv2 = float(sizes.var() / sizes.mean() ** 2)
    quiet_days = int(np.argmax(positive[::-1]))
    return DemandProfile(
        demand_class=_demand_class(interval, cv2),
        interval_days=interval,
        size_cv2=cv2,
        zero_share=1 - sizes.size / len(usable),
        is_dead=quiet_days > max(DEAD_AFTER_DAYS, DEAD_AFTER_INTERVALS * interval),
    )


def _demand_class(interval: float, cv2: float) -> DemandClass:
    if interval < ADI_LIMIT:
        return "smooth" if cv2 < CV2_LIMIT else "erratic"
    return "intermittent" if cv2 < CV2_LIMIT else "lumpy"


def series_from_days(  # noqa: PLR0913  # One argument per column of the series.
    demand: Mapping[date, float],
    *,
    first_day: date,
    last_day: date,
    horizon: int,
    censored: Iterable[date] = (),
    closed: Iterable[date] = (),
    factors: Mapping[str, Mapping[date, float]] | None = None,
    country: str | None = None,
) -> DemandSeries:
    """Build a series over first_day..last_day; a day without an entry had zero demand.

    `closed` and `factors` may reach up to `horizon` days beyond last_day. A weekday closed in each
    of the last eight weeks is expected to stay closed. A factor holding only 0 and 1 is 0 on days
    it does not name (no promotion); any other keeps its last value (a price).
    Raises ValueError when last_day is before first_day or demand is negative.
    """
    size = (last_day - first_day).days + 1
    if size < 1:
        raise ValueError("a demand series must have at least one day")
    days = [first_day + timedelta(days=i) for i in range(size + horizon)]
    censored_days, closed_days = frozenset(censored), frozenset(closed)
    is_closed = np.array([day in closed_days for day in days], dtype=np.bool_)
    columns = {
        name: _factor_values(values, days) for name, values in sorted((factors or {}).items())
    }
    return DemandSeries(
        start=first_day,
        quantity=np.array([demand.get(day, 0.0) for day in days[:size]], dtype=np.float64),
        censored=np.array([day in censored_days for day in days[:size]], dtype=np.bool_),
        closed=is_closed[:size],
        regressors={name: values[:size] for name, values in columns.items()},
        known=KnownAhead(
            closed=is_closed[size:] | _closed_weekdays(is_closed[:size], horizon),
            regressors={name: values[size:] for name, values in columns.items()},
        ),
        country=country,
    )


def _factor_values(values: Mapping[date, float], days: list[date]) -> FloatArray:
    if set(values.values()) <= {0.0, 1.0}:
        return np.array([values.get(day, 0.0) for day in days], dtype=np.float64)
    earlier = [day for day in sorted(values) if day <= days[0]]
    current = values[earlier[-1]] if earlier else values[min(values)]
    column = np.empty(len(days))
    for i, day in enumerate(days):
        current = values.get(day, current)
        column[i] = current
    return column


def _closed_weekdays(closed: BoolArray, horizon: int) -> BoolArray:
    span = SEASON * CLOSED_WEEKDAY_WEEKS
    if len(closed) < span:
        return np.zeros(horizon, dtype=np.bool_)
    weekly = np.all(closed[-span:].reshape(CLOSED_WEEKDAY_WEEKS, SEASON), axis=0)
    return np.resize(weekly, horizon)
