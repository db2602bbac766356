"""The columns a model may use beside the past: external factors and public holidays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from services.forecasting.methods.method import MethodFailed
from services.forecasting.methods.series import DemandSeries, FloatArray, KnownAhead

HOLIDAY_SHIFTS = {"holiday": 0, "holiday_eve": 1, "holiday_after": -1}
DISTINCT_DAYS_MIN = 3  # A column that differs on fewer days teaches noise.


def training_columns(series: DemandSeries) -> dict[str, FloatArray]:
    """Factors and holiday columns that vary over the days of demand, so that effects exist."""
    columns = {
        **series.regressors,
        **_holiday_columns(series.country, series.start, len(series)),
    }
    return {name: values for name, values in columns.items() if _varies(values[series.usable])}


def named_columns(series: DemandSeries, names: Sequence[str]) -> dict[str, FloatArray]:
    """Return the named columns over the days of the series; MethodFailed when one is absent."""
    return _pick(
        {**series.regressors, **_holiday_columns(series.country, series.start, len(series))},
        names,
        len(series),
    )


def future_columns(
    series: DemandSeries, known: KnownAhead, horizon: int, names: Sequence[str]
) -> dict[str, FloatArray]:
    """Return the named columns over the `horizon` days after; MethodFailed when one is unknown."""
    first_day = series.end + timedelta(days=1)
    return _pick(
        {**known.regressors, **_holiday_columns(series.country, first_day, horizon)},
        names,
        horizon,
    )


def as_matrix(columns: Mapping[str, FloatArray]) -> FloatArray | None:
    """One column per regressor, one row per day; None without regressors."""
    return np.column_stack(list(columns.values())) if columns else None


def _varies(values: FloatArray) -> bool:
    if values.size == 0:
        return False
    ordinary = np.median(values)
    return int(np.count_nonzero(values != ordinary)) >= DISTINCT_DAYS_MIN


def _pick(
    columns: Mapping[str, FloatArray], names: Sequence[str], days: int
) -> dict[str, FloatArray]:
    unknown = [name for name in names if name not in columns or len(columns[name]) < days]
    if unknown:
        raise MethodFailed(f"values of these regressors are not known: {', '.join(unknown)}")
    return {name: columns[name][:days] for name in names}


def _holiday_columns(country: str | None, start: date, days: int) -> dict[str, FloatArray]:
    if country is None:
        return {}
    return {
        name: np.array(
            [_is_holiday(country, start + timedelta(days=i + shift)) for i in range(days)],
            dtype=np.float64,
        )
        for name, shift in HOLIDAY_SHIFTS.items()
    }


def _is_holiday(country: str, day: date) -> bool:
    return day in _holidays_of_year(country, day.year)


@lru_cache(maxsize=64)
def _holidays_of_year(country: str, year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415  # Takes 0.1 s and is needed in workers only.

    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:  # A country the package does not know has no holidays here.
        return frozenset()
