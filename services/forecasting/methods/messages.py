"""What a worker process takes and gives: plain, picklable and JSON-able."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from services.forecasting.methods.assumptions import Assumption
from services.forecasting.methods.model import StoredModel


class Demand(TypedDict):
    """Demand of one item as a consumption table holds it; dates are ISO text.

    A day of first_day..last_day missing from `quantity` had no demand. `closed` and `factors` reach
    `horizon` days beyond last_day where the future is known.
    """

    first_day: str
    last_day: str
    quantity: dict[str, float]
    censored: NotRequired[list[str]]
    closed: NotRequired[list[str]]
    factors: NotRequired[dict[str, dict[str, float]]]
    country: NotRequired[str | None]


class TrainingRequest(TypedDict):
    """`model_type` is one of MODEL_TYPES; `key` is handed back untouched."""

    key: str
    model_type: str
    horizon: int
    demand: Demand
    origins: NotRequired[int]
    time_limit_s: NotRequired[float]


class DayForecast(TypedDict):
    """Demand of a day in stock units: 0 <= lower_95 <= lower_80 <= mean <= upper_80 <= upper_95."""

    date: str
    mean: float
    lower_80: float
    upper_80: float
    lower_95: float
    upper_95: float


class AccuracyMetrics(TypedDict):
    """Backtest errors as ratios; None where not defined. Daily unless the name says otherwise."""

    mape: float | None
    wape: float | None
    mase: float | None
    rmsse: float | None
    bias: float | None
    weekly_mape: float | None
    total_mape: float | None
    coverage_80: float | None
    coverage_95: float | None


class TrainingResult(TypedDict):
    """A trained model with its forecast and its backtest.

    `model_type` is the method kept, "combination" of `weights`, or "no_demand" for a dead item.
    `candidates` holds each tried method's score (1 is their median, lower is better), `failures`
    why others are missing. `baseline` is seasonal naive on the same days. `assumptions` are what
    the history itself does not say; backtest and forecast are made under them.
    `sum_error_variance[L-1]` is the mean squared error of the forecast sum over L days, in squared
    stock units, for L up to `backtest_horizon`.
    """

    key: str
    requested: str
    model_type: str
    weights: dict[str, float]
    model: StoredModel
    data_hash: str
    train_from: str
    train_to: str
    usable_days: int
    demand_class: str
    origins: int
    backtest_horizon: int
    accuracy: AccuracyMetrics
    baseline: AccuracyMetrics
    beats_baseline: bool
    points: list[DayForecast]
    sum_error_variance: list[float]
    candidates: dict[str, float]
    failures: dict[str, str]
    assumptions: list[Assumption]
    duration_s: float
    cpu_s: float
