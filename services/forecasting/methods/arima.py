"""Seasonal ARIMA with regressors (statsmodels), stored as a few numbers and restored by filtering.

A pickled result of 730 days weighs 29 MB; order and parameters weigh 200 bytes and give the same
forecast after one pass of the Kalman filter.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.forecasting.methods.method import Method, MethodFailed, Parameters
from services.forecasting.methods.regressors import (
    as_matrix,
    future_columns,
    named_columns,
    training_columns,
)
from services.forecasting.methods.series import SEASON, DemandSeries, FloatArray, KnownAhead

ORDERS = ((1, 0, 0), (1, 0, 1))
SEASONAL_ORDER = (0, 1, 1, SEASON)
ITERATIONS_MAX = 40
# Stopping rules of L-BFGS-B. The final one moves a forecast by less than 1 % against the strictest
# and takes a fifth less time; the rough one, a fifth of it, is enough to rank the orders.
FINAL = {"factr": 1e9}
ROUGH = {"factr": 1e10, "pgtol": 1e-3}
STEADY_TOLERANCE = 1e-9  # The filter's covariance counts as settled.
HISTORY_DAYS = 730
MIN_DAYS = 5 * SEASON


@dataclass(frozen=True, eq=False)
class FittedArima:
    """A filtered state-space result; `columns` names the regressors in the order of the model."""

    result: Any  # statsmodels publishes no types.
    order: tuple[int, int, int]
    columns: tuple[str, ...]
    series: DemandSeries

    def forecast(self, horizon: int, known: KnownAhead) -> FloatArray:
        exog = as_matrix(future_columns(self.series, known, horizon, self.columns))
        with _quiet():
            mean = np.asarray(self.result.forecast(horizon, exog=exog), dtype=np.float64)
        if not np.all(np.isfinite(mean)):
            raise MethodFailed("arima gave a forecast that is not finite")
        return mean

    def to_parameters(self) -> Parameters:
        return {
            "order": list(self.order),
            "seasonal_order": list(SEASONAL_ORDER),
            "regressors": list(self.columns),
            "params": [float(value) for value in self.result.params],
        }


def fit(series: DemandSeries, earlier: Parameters | None = None) -> FittedArima:
    """Choose the order by AICc and estimate; `earlier` fixes the order and the starting values.

    The orders differ only in moving-average terms, so the criterion compares like with like.
    Raises MethodFailed when no order can be estimated.
    """
    series = series.last_days(HISTORY_DAYS)
    columns = training_columns(series)
    if earlier is not None and tuple(earlier["regressors"]) == tuple(columns):
        order, start = _order(earlier), np.asarray(earlier["params"], dtype=np.float64)
    else:
        order, start = _choose_order(series, columns)
    result = _estimate(series, columns, order, start, FINAL)
    if result is None:
        raise MethodFailed("arima could not be estimated")
    return FittedArima(result, order, tuple(columns), series)


def restore(parameters: Parameters, series: DemandSeries) -> FittedArima:
    """Filter the series, which may have grown since the fit, with the stored parameters."""
    series = series.last_days(HISTORY_DAYS)
    names = tuple(str(name) for name in parameters["regressors"])
    order = _order(parameters)
    with _quiet():
        model = _model(series, named_columns(series, names), order)
        result = model.filter(np.asarray(parameters["params"], dtype=np.float64), cov_type="none")
    return FittedArima(result, order, names, series)


def _order(parameters: Parameters) -> tuple[int, int, int]:
    p, d, q = (int(value) for value in parameters["order"])
    return p, d, q


def _model(
    series: DemandSeries, columns: dict[str, FloatArray], order: tuple[int, int, int]
) -> Any:  # noqa: ANN401  # statsmodels publishes no types.
    from statsmodels.tsa.statespace.sarimax import SARIMAX  # noqa: PLC0415  # Workers only.

    model = SARIMAX(
        series.demand,
        exog=as_matrix(columns),
        order=order,
        seasonal_order=SEASONAL_ORDER,
        concentrate_scale=True,  # One parameter fewer to search: a third less time.
    )
    model.ssm.tolerance = STEADY_TOLERANCE
    return model


def _choose_order(
    series: DemandSeries, columns: dict[str, FloatArray]
) -> tuple[tuple[int, int, int], FloatArray]:
    """Return the order of least AICc after a rough search, and the parameters found on the way."""
    fits = [(_estimate(series, columns, order, None, ROUGH), order) for order in ORDERS]
    usable = [(result, order) for result, order in fits if result is not None]
    if not usable:
        raise MethodFailed("arima could not be estimated")
    result, order = min(usable, key=lambda pair: float(pair[0].aicc))
    return order, np.asarray(result.params, dtype=np.float64)


def _estimate(
    series: DemandSeries,
    columns: dict[str, FloatArray],
    order: tuple[int, int, int],
    start: FloatArray | None,
    precision: dict[str, float],
) -> Any | None:  # noqa: ANN401  # statsmodels publishes no types.
    try:
        with _quiet():
            model = _model(series, columns, order)
            result = model.fit(
                start_params=start,
                disp=0,
                maxiter=ITERATIONS_MAX,
                cov_type="none",
                **precision,
            )
            usable = np.all(np.isfinite(result.params)) and np.isfinite(result.aicc)
    except (np.linalg.LinAlgError, ValueError, IndexError):
        return None
    return result if usable else None


def _quiet() -> warnings.catch_warnings[None]:
    """Silence advice on start values and convergence: the backtest is the judge."""
    import statsmodels.tools.sm_exceptions  # noqa: F401, PLC0415  # Its filter must come before ours.

    return warnings.catch_warnings(action="ignore")


ARIMA = Method("arima", fit, restore, MIN_DAYS, follows_data=True, libraries=("statsmodels",))
