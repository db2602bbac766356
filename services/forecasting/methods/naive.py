"""Seasonal naive and seasonal window average: the baseline, and the fallback behind every model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.forecasting.methods.method import Method, Parameters
from services.forecasting.methods.series import SEASON, DemandSeries, FloatArray, KnownAhead

WINDOW_WEEKS = 8


@dataclass(frozen=True, eq=False)
class WeekdayMeans:
    """Each weekday's mean over its last `weeks` usable values; `profile[0]` is the next day's."""

    profile: FloatArray
    weeks: int

    def forecast(self, horizon: int, known: KnownAhead) -> FloatArray:  # noqa: ARG002  # Protocol.
        return np.resize(self.profile, horizon)

    def to_parameters(self) -> Parameters:
        return {"weeks": self.weeks}


def weekday_means(series: DemandSeries, weeks: int) -> WeekdayMeans:
    """Average the last `weeks` usable values of each weekday; where none, those of all days."""
    demand = series.demand
    usable = demand[series.usable]
    overall = float(usable[-SEASON * weeks :].mean()) if usable.size else 0.0
    profile = np.full(SEASON, overall)
    for ahead in range(SEASON):
        same_weekday = demand[(len(series) + ahead) % SEASON :: SEASON]
        values = same_weekday[~np.isnan(same_weekday)][-weeks:]
        if values.size:
            profile[ahead] = values.mean()
    return WeekdayMeans(profile, weeks)


def _restore(parameters: Parameters, series: DemandSeries) -> WeekdayMeans:
    return weekday_means(series, int(parameters["weeks"]))


SEASONAL_NAIVE = Method(
    name="seasonal_naive",
    fit=lambda series, _earlier: weekday_means(series, 1),
    restore=_restore,
    min_days=SEASON,
    follows_data=True,
)
WINDOW_AVERAGE = Method(
    name="window_average",
    fit=lambda series, _earlier: weekday_means(series, WINDOW_WEEKS),
    restore=_restore,
    min_days=SEASON,
    follows_data=True,
)
