"""TSB and IMAPA: level methods for intermittent demand, whose forecast fades when an item dies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from services.forecasting.methods.method import Method, Parameters
from services.forecasting.methods.series import SEASON, DemandSeries, FloatArray, KnownAhead

SIZE_WEIGHTS = np.array([0.02, 0.05, 0.1, 0.2, 0.3])
CHANCE_WEIGHTS = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.3])
LEVEL_WEIGHTS = np.array([0.02, 0.05, 0.1, 0.15, 0.2, 0.3])


@dataclass(frozen=True, eq=False)
class FlatDemand:
    """The same demand every day."""

    level: float
    parameters: dict[str, Any]

    def forecast(self, horizon: int, known: KnownAhead) -> FloatArray:  # noqa: ARG002  # Protocol.
        return np.full(horizon, self.level)

    def to_parameters(self) -> Parameters:
        return self.parameters


def fit_tsb(series: DemandSeries, earlier: Parameters | None = None) -> FlatDemand:
    """Fit TSB with the two weights that give the least squared one-step error on a small grid.

    Source: Teunter, Syntetos & Babai, EJOR 214 (2011), 606-615.
    """
    if earlier is not None:
        return _restore_tsb(earlier, series)
    size_weights, chance_weights = (
        grid.ravel() for grid in np.meshgrid(SIZE_WEIGHTS, CHANCE_WEIGHTS)
    )
    _, error = _run_tsb(series, size_weights, chance_weights)
    best = int(np.argmin(error))
    chosen = {"size": float(size_weights[best]), "chance": float(chance_weights[best])}
    return _restore_tsb(chosen, series)


def _restore_tsb(parameters: Parameters, series: DemandSeries) -> FlatDemand:
    weights = (np.array([float(parameters[name])]) for name in ("size", "chance"))
    level, _ = _run_tsb(series, *weights)
    return FlatDemand(float(level[0]), parameters)


def _run_tsb(
    series: DemandSeries, size_weights: FloatArray, chance_weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Final level and sum of squared one-step errors, for each pair of weights."""
    demand = series.demand[series.usable]
    sizes = demand[demand > 0]
    size = np.full(size_weights.shape, sizes.mean() if sizes.size else 0.0)
    chance = np.full(size_weights.shape, sizes.size / max(demand.size, 1))
    error = np.zeros(size_weights.shape)
    for value in demand.tolist():
        error += (value - size * chance) ** 2
        if value > 0:
            size += size_weights * (value - size)
            chance += chance_weights * (1 - chance)
        else:
            chance -= chance_weights * chance
    return size * chance, error


def fit_imapa(series: DemandSeries, earlier: Parameters | None = None) -> FlatDemand:
    """Average the smoothed levels at every aggregation from one day to the mean demand interval.

    Source: Petropoulos & Kourentzes, JORS 66 (2015), 914-924.
    """
    if earlier is not None:
        return _restore_imapa(earlier, series)
    demand = series.demand[series.usable]
    interval = demand.size / max(int((demand > 0).sum()), 1)
    deepest = max(min(round(interval), demand.size // (2 * SEASON)), 1)
    weights = []
    for days in range(1, deepest + 1):
        _, error = _smooth(_buckets(demand, days), LEVEL_WEIGHTS)
        weights.append(float(LEVEL_WEIGHTS[int(np.argmin(error))]))
    return _restore_imapa({"weights": weights}, series)


def _restore_imapa(parameters: Parameters, series: DemandSeries) -> FlatDemand:
    demand = series.demand[series.usable]
    levels = [
        float(_smooth(_buckets(demand, days), np.array([float(weight)]))[0][0]) / days
        for days, weight in enumerate(parameters["weights"], start=1)
    ]
    return FlatDemand(float(np.mean(levels)), parameters)


def _buckets(demand: FloatArray, days: int) -> FloatArray:
    whole = demand.size // days * days
    sums: FloatArray = demand[demand.size - whole :].reshape(-1, days).sum(axis=1)
    return sums


def _smooth(values: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Final level of simple exponential smoothing and its squared one-step errors, per weight."""
    level = np.full(weights.shape, values[: 2 * SEASON].mean() if values.size else 0.0)
    error = np.zeros(weights.shape)
    for value in values.tolist():
        error += (value - level) ** 2
        level += weights * (value - level)
    return level, error


TSB = Method("tsb", fit_tsb, _restore_tsb, min_days=2 * SEASON, follows_data=True)
IMAPA = Method("imapa", fit_imapa, _restore_imapa, min_days=2 * SEASON, follows_data=True)
