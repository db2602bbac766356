"""What a forecast assumes of a history that does not speak for itself."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from services.forecasting.methods.series import SEASON, DemandSeries

OUTLIER_RATIO = 2.0  # Of one day to the largest of all others.
OUTLIERS_RATIO = 10.0  # Of several days to the largest of all others.
OUTLIER_SHARE_MAX = 0.02  # Of the days with sales.
SALES_MIN = 3  # Days with sales; fewer do not show how large one may be.
YEAR_DAYS = 365
PEAKS_MIN = 4  # So many at even intervals are no accident.
UNEVEN_MAX = 0.2  # Of an interval, from the mean one.


class Assumption(TypedDict):
    """A code of `models.rules.AssumptionCode`, and the figures of its sentence."""

    code: str
    figures: dict[str, float | str]


def count_sold_out_days(
    series: DemandSeries, needed_days: int
) -> tuple[DemandSeries, Assumption | None]:
    """Take sold-out days for demand where too few other days are left to learn from.

    A day that sold until nothing was left shows the least that was wanted. It is left out as long
    as others show more; an item that sells out most days would have no forecast then, or one from
    its weak days alone. Days between sales without stock count as without demand, since what was
    sold, and no more, is then all that is known; those after the last sale stay unknown.
    """
    sold_out = series.censored & ~series.closed & (series.quantity > 0)
    sold_out_days, usable_days = int(sold_out.sum()), int(series.usable.sum())
    if not sold_out_days or needed_days <= usable_days >= sold_out_days:
        return series, None
    days = int(np.flatnonzero(series.quantity)[-1]) + 1
    censored = series.censored.copy()
    censored[:days] = False
    assumption = Assumption(
        code="sold_out_days_counted", figures={"sold_out_days": sold_out_days, "days": days}
    )
    return replace(series, censored=censored), assumption


def limit_outliers(series: DemandSeries) -> tuple[DemandSeries, Assumption | None]:
    """Let no day count for more than twice the largest of all others.

    So one typing error, or the order of a lifetime, moves neither the forecast nor the errors that
    safety stock is made of, and how large it was does not matter. Two or more, at most 2 % of the
    days with sales, are as little demand when even the smallest is beyond ten times all others, and
    they do not come back. Winsorising: Dixon, "Simplified estimation from censored normal samples",
    Annals of Mathematical Statistics 31 (1960), 385-391. Of 1,581 real items ten times concerns
    one; at five times it would be the large orders that a wholesaler has now and then.
    """
    sold = np.flatnonzero(series.usable & (series.quantity > 0))
    if len(sold) < SALES_MIN:
        return series, None
    falling = sold[np.argsort(-series.quantity[sold], kind="stable")]
    for count in range(math.ceil(OUTLIER_SHARE_MAX * len(sold)), 0, -1):
        others = float(series.quantity[falling[count]])
        beyond = (OUTLIER_RATIO if count == 1 else OUTLIERS_RATIO) * others
        days = falling[:count]
        if series.quantity[days[-1]] > beyond and not _come_back(np.sort(days)):
            return _limited(series, days, OUTLIER_RATIO * others)
    return series, None


def _come_back(days: npt.NDArray[np.intp]) -> bool:
    """Say whether peaks on these days, in their order, come back: next year, or at even intervals.

    Those within a week are one.
    """
    peaks = days[np.concatenate(([True], np.diff(days) > SEASON))]
    apart = peaks[:, None] - peaks
    if np.any(np.abs(apart - YEAR_DAYS) <= SEASON):
        return True
    intervals = np.diff(peaks)
    return len(peaks) >= PEAKS_MIN and bool(
        np.all(np.abs(intervals - intervals.mean()) <= UNEVEN_MAX * intervals.mean())
    )


def _limited(
    series: DemandSeries, days: npt.NDArray[np.intp], limit: float
) -> tuple[DemandSeries, Assumption]:
    """Count these days, the largest first, for the limit."""
    quantity = series.quantity.copy()
    quantity[days] = limit
    largest = float(series.quantity[days[0]])
    figures: dict[str, float | str] = {"quantity": largest, "counted": limit}
    if len(days) == 1:
        assumption = Assumption(
            code="outlier_limited", figures={"day": _day(series, int(days[0])), **figures}
        )
    else:
        assumption = Assumption(code="outliers_limited", figures={"days": len(days), **figures})
    return replace(series, quantity=quantity), assumption


def _day(series: DemandSeries, offset: int) -> str:
    day: date = series.start + timedelta(days=offset)
    return day.isoformat()
