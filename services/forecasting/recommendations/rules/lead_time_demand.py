"""The distribution of demand over a lead time, from a forecast path and the errors of its sums.

`path` is the expected demand per day from today on; `variance[L-1]` the mean squared error of the
forecast sum over L days, from a backtest. Both in stock units (squared).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from services.forecasting.recommendations.rules.gamma import covering_quantile


def expected_demand(path: Sequence[float], days: int) -> float:
    """Sum the first `days` of a path of daily means, which goes on beyond its end at its mean."""
    known = math.fsum(path[:days])
    return known + max(days - len(path), 0) * math.fsum(path) / len(path)


def sum_variance(variance: Sequence[float], days: int) -> float:
    """Variance of the forecast error of a sum over `days` days, never less than over fewer days.

    Beyond the days known it grows by the power seen over their second half: 1 for independent
    errors, 2 for a lasting bias.
    """
    known = len(variance)
    widest = max(variance[:days])
    if days <= known:
        return widest
    half = max(variance[: known // 2], default=0.0)
    power = math.log(widest / half) / math.log(known / (known // 2)) if half > 0 else 1.0
    return widest * math.pow(days / known, min(max(power, 1.0), 2.0))


def demand_quantile(
    path: Sequence[float], variance: Sequence[float], days: int, level: float
) -> float:
    """Return what demand over `days` days stays below with chance `level`; 0 without demand.

    From the median up never below the expected demand, and never less for more variance.
    """
    mean = expected_demand(path, days)
    return covering_quantile(level, mean, sum_variance(variance, days)) if mean > 0 else 0.0


def reorder_point(
    path: Sequence[float], variance: Sequence[float], days: int, service_level: float
) -> float:
    """Return the stock that covers demand over `days` days at the service level, at least 0.5.

    Never below that of fewer days: a very skewed gamma would ask less of a longer lead time.
    """
    return max(
        demand_quantile(path, variance, length, service_level) for length in range(1, days + 1)
    )
