"""Accuracy of point forecasts and of intervals.

MAPE, MASE: Hyndman & Koehler, "Another look at measures of forecast accuracy", IJF 22 (2006),
679-688. RMSSE: Makridakis, Spiliotis & Assimakopoulos, "The M5 accuracy competition", IJF 38
(2022), 1346-1364. Days whose actual demand is NaN (stock-outs, closures) are never scored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.forecasting.methods.series import SEASON, DemandSeries, FloatArray


@dataclass(frozen=True)
class ErrorScales:
    """In-sample errors of naive forecasts, in stock units (squared for mse); None when zero."""

    seasonal_mae: float | None
    naive_mse: float | None


@dataclass(frozen=True)
class Accuracy:
    """Errors of point forecasts as ratios (0.2 is 20 %); None where a measure is not defined.

    bias is (sum of forecasts - sum of actuals) / sum of actuals.
    """

    mape: float | None
    wape: float | None
    mase: float | None
    rmsse: float | None
    bias: float | None


def error_scales(series: DemandSeries) -> ErrorScales:
    """Mean absolute seasonal-naive error and mean squared naive error over a training series."""
    demand = series.demand
    seasonal = np.abs(demand[SEASON:] - demand[:-SEASON])
    naive = (demand[1:] - demand[:-1]) ** 2
    return ErrorScales(seasonal_mae=_positive_mean(seasonal), naive_mse=_positive_mean(naive))


def accuracy(actual: FloatArray, forecast: FloatArray, scales: ErrorScales) -> Accuracy:
    """Score forecasts of any shape against actuals of the same shape."""
    scored = ~np.isnan(actual)
    wanted, error = actual[scored], forecast[scored] - actual[scored]
    if wanted.size == 0:
        return Accuracy(None, None, None, None, None)
    total = float(wanted.sum())
    mae, mse = float(np.abs(error).mean()), float((error**2).mean())
    return Accuracy(
        mape=mape(wanted, forecast[scored]),
        wape=float(np.abs(error).sum()) / total if total > 0 else None,
        mase=mae / scales.seasonal_mae if scales.seasonal_mae else None,
        rmsse=float(np.sqrt(mse / scales.naive_mse)) if scales.naive_mse else None,
        bias=float(error.sum()) / total if total > 0 else None,
    )


def mape(actual: FloatArray, forecast: FloatArray) -> float | None:
    """Mean absolute percentage error over non-zero actuals, as a ratio; None without any."""
    wanted = actual > 0  # False for NaN too.
    if not np.any(wanted):
        return None
    return float(np.mean(np.abs(forecast[wanted] - actual[wanted]) / actual[wanted]))


def bucket_sums(actual: FloatArray, forecast: FloatArray, days: int) -> tuple[FloatArray, ...]:
    """Sum whole buckets of `days` along the last axis; an unscored day counts in neither sum."""
    scored = ~np.isnan(actual)
    whole = actual.shape[-1] // days * days
    return tuple(
        np.where(scored, values, 0.0)[..., :whole].reshape(-1, days).sum(axis=1)
        for values in (actual, forecast)
    )


def coverage(actual: FloatArray, lower: FloatArray, upper: FloatArray) -> float | None:
    """Share of scored actuals inside the closed interval; None without any."""
    scored = ~np.isnan(actual)
    if not np.any(scored):
        return None
    inside = (actual[scored] >= lower[scored]) & (actual[scored] <= upper[scored])
    return float(inside.mean())


def _positive_mean(values: FloatArray) -> float | None:
    known = values[~np.isnan(values)]
    mean = float(known.mean()) if known.size else 0.0
    return mean if mean > 0 else None
