"""Train one item: the function a worker process runs, from plain data to plain data."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from services.forecasting.methods import select
from services.forecasting.methods.assumptions import count_sold_out_days, limit_outliers
from services.forecasting.methods.backtest import (
    BacktestPlan,
    BacktestRun,
    backtest,
    bounded,
    plan_backtest,
)
from services.forecasting.methods.intervals import bounds, calibrate, cross_coverage
from services.forecasting.methods.messages import (
    AccuracyMetrics,
    DayForecast,
    Demand,
    TrainingRequest,
    TrainingResult,
)
from services.forecasting.methods.method import MethodFailed, TooLittleData
from services.forecasting.methods.metrics import (
    Accuracy,
    ErrorScales,
    accuracy,
    bucket_sums,
    error_scales,
    mape,
)
from services.forecasting.methods.model import (
    COMBINATION,
    METHODS,
    NO_DEMAND,
    TrainedModel,
    restore_model,
)
from services.forecasting.methods.series import (
    SEASON,
    DemandProfile,
    DemandSeries,
    FloatArray,
    profile,
    series_from_days,
)
from services.forecasting.methods.sum_errors import sum_error_variance

AUTO = "auto"
MODEL_TYPES = (AUTO, *METHODS)
USABLE_DAYS_MIN = 14
ORIGINS = 3
TIME_LIMIT_S = 60.0


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Backtests of the methods tried, and why others are missing."""

    plan: BacktestPlan
    runs: Mapping[str, BacktestRun]
    scales: ErrorScales
    failures: Mapping[str, str]

    @cached_property
    def accuracies(self) -> Mapping[str, Accuracy]:
        """Daily accuracy of each method over all origins."""
        return {name: self.accuracy({name: 1.0}) for name in self.runs}

    def combine(self, weights: Mapping[str, float]) -> FloatArray:
        """Weighted mean of the backtest forecasts, as origins x horizon."""
        mean = np.zeros(self.plan.actual.shape)
        for name, weight in weights.items():
            mean += weight * self.runs[name].forecast
        return mean

    def accuracy(self, weights: Mapping[str, float]) -> Accuracy:
        """Daily accuracy of a weighted mean over all origins."""
        return accuracy(self.plan.actual, self.combine(weights), self.scales)


def fit_series(request: TrainingRequest) -> TrainingResult:
    """Train, backtest and forecast one item.

    `auto` keeps the best method or combination; a dead item gets a forecast of zero. Methods that
    fail or find no time under `auto` are named in `failures`.
    Raises ValueError for an unknown model type, TooLittleData below 14 usable days (or below what
    the method asked for needs), MethodFailed when the method asked for cannot be fitted.
    """
    started, cpu_started = time.perf_counter(), time.process_time()
    asked = request["model_type"]
    if asked not in MODEL_TYPES:
        raise ValueError(f"unknown model type: {asked}")
    history = demand_series(request["demand"], request["horizon"]).since_first_demand()
    needed_days = _needed_days(asked)
    series, sold_out = count_sold_out_days(history, needed_days)
    series, outlier = limit_outliers(series)
    usable_days = int(series.usable.sum())
    if usable_days < needed_days:
        raise TooLittleData(usable_days, needed_days)

    item = profile(series)
    deadline = started + request.get("time_limit_s", TIME_LIMIT_S)
    names = select.candidate_methods(item) if asked == AUTO else (select.BASELINE, asked)
    plan = plan_backtest(series, request["horizon"], request.get("origins", ORIGINS))
    evaluation = _evaluate(series, plan, names, deadline)
    weights = _choose(asked, item, evaluation)
    stored = _train(series, evaluation, weights).to_stored()
    return TrainingResult(
        key=request["key"],
        requested=asked,
        model_type=_model_type(weights),
        weights=dict(weights),
        model=stored,
        data_hash=history.data_hash(),
        train_from=series.start.isoformat(),
        train_to=series.end.isoformat(),
        usable_days=usable_days,
        demand_class=item.demand_class,
        origins=len(plan.origins),
        backtest_horizon=plan.horizon,
        accuracy=_metrics(evaluation, weights),
        baseline=_metrics(evaluation, {select.BASELINE: 1.0}),
        beats_baseline=select.beats(
            evaluation.accuracy(weights), evaluation.accuracies[select.BASELINE]
        ),
        # By what is stored: a model that cannot be restored is never kept.
        points=_points(restore_model(stored, series), series, request["horizon"]),
        sum_error_variance=sum_error_variance(series, plan, evaluation.combine(weights)),
        candidates=select.scores(evaluation.accuracies, item),
        failures=dict(evaluation.failures),
        assumptions=[each for each in (sold_out, outlier) if each is not None],
        duration_s=time.perf_counter() - started,
        cpu_s=time.process_time() - cpu_started,
    )


def demand_series(demand: Demand, horizon: int) -> DemandSeries:
    """Read plain demand into a series. Raises ValueError when it makes none."""
    read = date.fromisoformat
    return series_from_days(
        {read(day): quantity for day, quantity in demand["quantity"].items()},
        first_day=read(demand["first_day"]),
        last_day=read(demand["last_day"]),
        horizon=horizon,
        censored=map(read, demand.get("censored", ())),
        closed=map(read, demand.get("closed", ())),
        factors={
            name: {read(day): value for day, value in values.items()}
            for name, values in demand.get("factors", {}).items()
        },
        country=demand.get("country"),
    )


def _needed_days(asked: str) -> int:
    """Return how many usable days are needed: twice a method's least, as half is backtested."""
    return USABLE_DAYS_MIN if asked == AUTO else max(2 * METHODS[asked].min_days, USABLE_DAYS_MIN)


def _evaluate(
    series: DemandSeries, plan: BacktestPlan, names: tuple[str, ...], deadline: float
) -> Evaluation:
    """Backtest each method, cheapest first; the baseline needs neither length nor time."""
    first_window = int(series.usable[: plan.origins[0]].sum())
    runs: dict[str, BacktestRun] = {}
    failures: dict[str, str] = {}
    for name in (each for each in METHODS if each in names):
        is_optional = name != select.BASELINE
        if is_optional and first_window < METHODS[name].min_days:
            failures[name] = str(TooLittleData(first_window, METHODS[name].min_days))
        elif is_optional and time.perf_counter() > deadline:
            failures[name] = "the time limit was reached"
        else:
            try:
                runs[name] = backtest(METHODS[name], series, plan)
            except MethodFailed as error:
                failures[name] = str(error)
    return Evaluation(plan, runs, _scales(series, plan), failures)


def _scales(series: DemandSeries, plan: BacktestPlan) -> ErrorScales:
    return error_scales(series.window(0, plan.origins[0], 0))


def _choose(asked: str, item: DemandProfile, evaluation: Evaluation) -> Mapping[str, float]:
    """Return what to keep: the method asked for, or under `auto` what beats the baseline."""
    if asked != AUTO:
        if asked not in evaluation.runs:
            raise MethodFailed(evaluation.failures[asked])
        return {asked: 1.0}
    if item.is_dead:
        return {}
    weights = select.weigh(select.scores(evaluation.accuracies, item))
    baseline = evaluation.accuracies[select.BASELINE]
    if select.beats(evaluation.accuracy(weights), baseline):
        return weights
    fallback = evaluation.accuracies.get(select.FALLBACK)
    if fallback is not None and select.beats(fallback, baseline):
        return {select.FALLBACK: 1.0}
    return {select.BASELINE: 1.0}


def _train(
    series: DemandSeries, evaluation: Evaluation, weights: Mapping[str, float]
) -> TrainedModel:
    members = tuple(
        (name, weight, METHODS[name].fit(series, evaluation.runs[name].parameters))
        for name, weight in weights.items()
    )
    calibration = calibrate(evaluation.plan.actual, evaluation.combine(weights))
    return TrainedModel(members, calibration, series.history_max)


def _model_type(weights: Mapping[str, float]) -> str:
    if not weights:
        return NO_DEMAND
    return COMBINATION if len(weights) > 1 else next(iter(weights))


def _points(model: TrainedModel, series: DemandSeries, horizon: int) -> list[DayForecast]:
    mean = model.forecast(horizon, series.known)
    columns = {
        name: bounded(values, series.known, model.history_max).tolist()
        for name, values in bounds(mean, model.calibration).items()
    }
    return [
        DayForecast(
            date=(series.end + timedelta(days=ahead + 1)).isoformat(),
            mean=float(mean[ahead]),
            lower_80=columns["lower_80"][ahead],
            upper_80=columns["upper_80"][ahead],
            lower_95=columns["lower_95"][ahead],
            upper_95=columns["upper_95"][ahead],
        )
        for ahead in range(horizon)
    ]


def _metrics(evaluation: Evaluation, weights: Mapping[str, float]) -> AccuracyMetrics:
    actual, forecast = evaluation.plan.actual, evaluation.combine(weights)
    daily = evaluation.accuracy(weights)
    covered = cross_coverage(actual, forecast)
    return AccuracyMetrics(
        mape=daily.mape,
        wape=daily.wape,
        mase=daily.mase,
        rmsse=daily.rmsse,
        bias=daily.bias,
        weekly_mape=mape(*bucket_sums(actual, forecast, SEASON)),
        total_mape=mape(*bucket_sums(actual, forecast, evaluation.plan.horizon)),
        coverage_80=covered["80"],
        coverage_95=covered["95"],
    )
