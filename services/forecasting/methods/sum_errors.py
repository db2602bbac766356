"""How wrong the forecast of a lead time's total demand is: what safety stock has to cover.

Errors of single days do not add up to it: they are correlated through a level that was wrong.
"""

from __future__ import annotations

import numpy as np

from services.forecasting.methods.backtest import BacktestPlan
from services.forecasting.methods.naive import WINDOW_WEEKS, weekday_means
from services.forecasting.methods.series import SEASON, DemandSeries, FloatArray

YEAR_DAYS = 365
RATIO_MIN = 0.3
TINY = 1e-9  # Squared units: keeps the logarithm of no error finite.
MARGIN = 1.2  # A few windows show less than there is; 1.2 gave the least pinball loss at 99 %.


def sum_error_variance(
    series: DemandSeries, plan: BacktestPlan, forecast: FloatArray
) -> list[float]:
    """Mean squared error of the forecast sum over 1, 2, ... days, in squared stock units.

    The backtest's few windows alone reached 87 % service when asked for 95 % over 14 days. So the
    errors of a simple weekday average over a year of weekly origins, scaled by how much better the
    forecast was on the days both were tested, set a floor: 92 %, and 97 % when asked for 99 %
    (120 real items). Never decreasing.
    """
    own = _rising(_window_squares(_errors(plan.actual, forecast).ravel(), plan.horizon))
    origins = _weekly_origins(len(series), plan.horizon)
    recent = [origin for origin in origins if origin >= plan.origins[0]]
    if not recent:
        return [MARGIN * float(square) for square in own]
    totals = np.stack([_simple_total_errors(series, origin, plan.horizon) for origin in origins])
    over_year = _rising(np.mean(totals**2, axis=0))
    over_backtest = _rising(np.mean(totals[-len(recent) :] ** 2, axis=0))
    longer = slice(min(SEASON, plan.horizon) - 1, None)
    log_ratio = np.log(own[longer] + TINY) - np.log(over_backtest[longer] + TINY)
    ratio = float(np.exp(np.minimum(log_ratio.mean(), 0.0)))
    floor = max(ratio, RATIO_MIN) * over_year
    return [MARGIN * float(square) for square in np.maximum(own, floor)]


def _errors(actual: FloatArray, forecast: FloatArray) -> FloatArray:
    """Forecast less actual; none on days that do not count."""
    return np.where(np.isnan(actual), 0.0, forecast - actual)


def _window_squares(errors: FloatArray, horizon: int) -> FloatArray:
    """Mean squared sum of every run of 1, 2, ... `horizon` consecutive errors."""
    total = np.concatenate([[0.0], np.cumsum(errors)])
    lengths = range(1, horizon + 1)
    return np.array([np.mean((total[days:] - total[:-days]) ** 2) for days in lengths])


def _weekly_origins(days: int, horizon: int) -> list[int]:
    last = days - horizon
    first = max(WINDOW_WEEKS * SEASON, last - YEAR_DAYS)
    return list(range(last, first - 1, -SEASON))[::-1]


def _simple_total_errors(series: DemandSeries, origin: int, horizon: int) -> FloatArray:
    train = series.window(0, origin, horizon)
    forecast = weekday_means(train, WINDOW_WEEKS).forecast(horizon, train.known)
    return np.cumsum(_errors(series.demand[origin : origin + horizon], forecast))


def _rising(values: FloatArray) -> FloatArray:
    return np.maximum.accumulate(values)
