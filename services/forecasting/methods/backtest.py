"""Rolling-origin backtest: what each method would have forecast at several past days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.forecasting.methods.method import Method, Parameters
from services.forecasting.methods.series import (
    BoolArray,
    DemandSeries,
    FloatArray,
    KnownAhead,
)

HORIZON_MAX = 28  # Days; longer horizons are judged on their first four weeks.
HISTORY_SHARE = 2  # At least half of the series stays before the first origin.
LIMIT_OVER_HISTORY = 3.0


@dataclass(frozen=True, eq=False)
class BacktestPlan:
    """Forecast origins (numbers of training days), consecutive, and the days forecast from each.

    `actual` holds demand as origins x horizon, NaN where a day does not count.
    """

    origins: tuple[int, ...]
    horizon: int
    actual: FloatArray


@dataclass(frozen=True, eq=False)
class BacktestRun:
    """Forecasts of one method as origins x horizon, and its parameters at the first origin."""

    forecast: FloatArray
    parameters: Parameters


def plan_backtest(series: DemandSeries, horizon: int, origins: int) -> BacktestPlan:
    """Place the origins back to back at the end of the series.

    The horizon shrinks until all origins fit into the newer half of the series.
    Raises ValueError when not even one day can be held out for each.
    """
    days = min(horizon, HORIZON_MAX, len(series) // (HISTORY_SHARE * origins))
    if days < 1:
        raise ValueError("the series is too short for a backtest")
    starts = tuple(len(series) - days * left for left in range(origins, 0, -1))
    actual = np.stack([series.demand[start : start + days] for start in starts])
    return BacktestPlan(starts, days, actual)


def backtest(method: Method, series: DemandSeries, plan: BacktestPlan) -> BacktestRun:
    """Forecast from every origin with the days before it alone.

    Parameters are estimated at the first origin; a method that follows the data only takes in the
    newer days at the later ones, which costs a tenth and uses no future either.
    Raises MethodFailed.
    """
    parameters: Parameters | None = None
    rows = []
    for origin in plan.origins:
        train = series.window(0, origin, plan.horizon)
        if parameters is None or not method.follows_data:
            fitted = method.fit(train, parameters)
        else:
            fitted = method.restore(parameters, train)
        parameters = fitted.to_parameters() if parameters is None else parameters
        forecast = fitted.forecast(plan.horizon, train.known)
        rows.append(bounded(forecast, train.known, train.history_max))
    return BacktestRun(np.stack(rows), parameters or {})


def bounded(forecast: FloatArray, known: KnownAhead, history_max: float) -> FloatArray:
    """Keep a forecast between zero and three times the largest day seen; zero on closed days."""
    possible = np.clip(forecast, 0.0, LIMIT_OVER_HISTORY * history_max)
    closed: BoolArray = known.is_closed(len(forecast))
    return np.where(closed, 0.0, possible)
