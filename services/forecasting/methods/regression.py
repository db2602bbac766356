"""Poisson regression on weekday, season of the year, holidays and factors.

Newer days weigh more. It costs milliseconds and is strong where promotions drive demand, since
effects multiply the level.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from services.forecasting.methods.method import Method, MethodFailed, Parameters
from services.forecasting.methods.regressors import (
    future_columns,
    named_columns,
    training_columns,
)
from services.forecasting.methods.series import SEASON, DemandSeries, FloatArray, KnownAhead

HALF_LIVES_DAYS = (40.0, 360.0)  # The weight of a day is the mean of a fast and a slow decay.
LEVEL_DAYS = 56
LEVEL_TRUST = 0.5  # Share of the last eight weeks' deviation that is taken to last.
LEVEL_PRIOR = 2.0  # Units added to both sides of that deviation.
HISTORY_DAYS = 1095
YEARLY_FROM_DAYS = 540
YEAR_DAYS = 365.25
RIDGE = 5.0  # In days of mean demand: an effect seen on few days is drawn to none.
ITERATIONS_MAX = 25
TOLERANCE = 1e-6
LOG_MEAN_LIMIT = 20.0
MIN_DAYS = 4 * SEASON


@dataclass(frozen=True, eq=False)
class FittedRegression:
    """Coefficients of log(mean demand); `columns` names the regressors after the calendar terms."""

    coefficients: FloatArray
    columns: tuple[str, ...]
    centres: dict[str, float]
    has_year: bool
    series: DemandSeries

    def forecast(self, horizon: int, known: KnownAhead) -> FloatArray:
        columns = future_columns(self.series, known, horizon, self.columns)
        design = _design(
            self.series,
            len(self.series),
            horizon,
            _centred(columns, self.centres),
            has_year=self.has_year,
        )
        return _mean(design, self.coefficients)

    def to_parameters(self) -> Parameters:
        return {"regressors": list(self.columns)}


def fit(series: DemandSeries, earlier: Parameters | None = None) -> FittedRegression:  # noqa: ARG001  # Nothing to reuse: a fit takes milliseconds.
    """Estimate on the last three years.

    Raises MethodFailed when there is no demand to explain.
    """
    return _fit(series, tuple(training_columns(series)))


def restore(parameters: Parameters, series: DemandSeries) -> FittedRegression:
    """Estimate again with the same regressors: cheaper than to store, and it follows newer days."""
    return _fit(series, tuple(str(name) for name in parameters["regressors"]))


def _fit(series: DemandSeries, names: tuple[str, ...]) -> FittedRegression:
    series = series.last_days(HISTORY_DAYS)
    usable = series.usable
    demand = series.quantity[usable]
    if not np.any(demand > 0):
        raise MethodFailed("regression found no demand to explain")
    columns = named_columns(series, names)
    centres = {name: float(np.median(values[usable])) for name, values in columns.items()}
    has_year = len(series) >= YEARLY_FROM_DAYS
    design = _design(series, 0, len(series), _centred(columns, centres), has_year=has_year)[usable]
    age = np.arange(len(series) - 1, -1, -1, dtype=np.float64)[usable]
    weight = np.mean([np.exp2(-age / half_life) for half_life in HALF_LIVES_DAYS], axis=0)
    coefficients = _poisson(design, demand, weight)
    recent = age < LEVEL_DAYS
    fitted = _mean(design[recent], coefficients)
    deviation = (demand[recent].sum() + LEVEL_PRIOR) / (fitted.sum() + LEVEL_PRIOR)
    coefficients[0] += LEVEL_TRUST * np.log(deviation)
    return FittedRegression(coefficients, names, centres, has_year, series)


def _mean(design: FloatArray, coefficients: FloatArray) -> FloatArray:
    mean: FloatArray = np.exp(np.clip(design @ coefficients, -LOG_MEAN_LIMIT, LOG_MEAN_LIMIT))
    return mean


def _centred(columns: dict[str, FloatArray], centres: dict[str, float]) -> dict[str, FloatArray]:
    return {name: values - centres[name] for name, values in columns.items()}


def _design(
    series: DemandSeries,
    first: int,
    days: int,
    columns: dict[str, FloatArray],
    *,
    has_year: bool,
) -> FloatArray:
    """Rows for `days` days from day `first`: level, weekdays, year waves, regressors."""
    index = np.arange(first, first + days)
    weekday = (series.start.weekday() + index) % SEASON
    parts = [np.ones((days, 1)), np.eye(SEASON)[weekday]]
    if has_year:
        new_year = (series.start - timedelta(days=series.start.timetuple().tm_yday)).toordinal()
        angle = 2 * np.pi * (series.start.toordinal() - new_year + index) / YEAR_DAYS
        waves = [wave(k * angle) for k in (1, 2) for wave in (np.sin, np.cos)]
        parts.append(np.column_stack(waves))
    if columns:
        parts.append(np.column_stack(list(columns.values())))
    return np.hstack(parts)


def _poisson(design: FloatArray, demand: FloatArray, weight: FloatArray) -> FloatArray:
    """Weighted ridge Poisson regression by iteratively reweighted least squares.

    Source: McCullagh & Nelder, Generalized Linear Models, 2nd ed., section 2.5.
    """
    level = float(np.average(demand, weights=weight)) + TOLERANCE
    penalty = np.full(design.shape[1], RIDGE * max(level, 0.1))
    penalty[0] = 0.0
    coefficients: FloatArray = np.zeros(design.shape[1])
    coefficients[0] = np.log(level)
    for _ in range(ITERATIONS_MAX):
        linear = np.clip(design @ coefficients, -LOG_MEAN_LIMIT, LOG_MEAN_LIMIT)
        mean = np.exp(linear)
        scaled = design * (weight * mean)[:, None]
        target = linear + (demand - mean) / mean
        step = np.linalg.solve(design.T @ scaled + np.diag(penalty), scaled.T @ target)
        if not np.all(np.isfinite(step)):
            raise MethodFailed("regression did not converge")
        moved = float(np.max(np.abs(step - coefficients)))
        coefficients = np.asarray(step, dtype=np.float64)
        if moved < TOLERANCE:
            break
    return coefficients


REGRESSION = Method("regression", fit, restore, MIN_DAYS, follows_data=True)
