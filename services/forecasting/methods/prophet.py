"""Prophet: trend, weekly and yearly seasons, public holidays and regressors by maximum posterior.

Its own uncertainty samples are switched off: intervals come from the backtest. Prophet and pandas
are imported inside functions, so that only workers pay their second and 150 MB.
"""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from services.forecasting.methods.method import Method, MethodFailed, Parameters
from services.forecasting.methods.regressors import (
    HOLIDAY_SHIFTS,
    future_columns,
    training_columns,
)
from services.forecasting.methods.series import SEASON, DemandSeries, FloatArray, KnownAhead

HISTORY_DAYS = 1095
YEARLY_FROM_DAYS = 730
TIME_LIMIT_S = 10.0
ITERATIONS_MAX = 2000
MIN_DAYS = 4 * SEASON
_QUIET_LOGGERS = ("cmdstanpy", "prophet", "prophet.plot", "prophet.models")


@dataclass(frozen=True, eq=False)
class FittedProphet:
    """A fitted Prophet model; `columns` names its extra regressors."""

    model: Any  # prophet publishes no types.
    columns: tuple[str, ...]
    series: DemandSeries

    def forecast(self, horizon: int, known: KnownAhead) -> FloatArray:
        first_day = self.series.end + timedelta(days=1)
        frame = _frame(
            first_day, horizon, future_columns(self.series, known, horizon, self.columns)
        )
        with warnings.catch_warnings(action="ignore"):
            mean = np.asarray(self.model.predict(frame)["yhat"], dtype=np.float64)
        if not np.all(np.isfinite(mean)):
            raise MethodFailed("prophet gave a forecast that is not finite")
        return mean

    def to_parameters(self) -> Parameters:
        return {"regressors": list(self.columns), "model": _to_slim_json(self.model)}


def fit(series: DemandSeries, earlier: Parameters | None = None) -> FittedProphet:  # noqa: ARG001  # A cold fit takes 50 ms; a warm one needs the same changepoints.
    """Fit trend, weekly season, yearly season from two years on, country holidays and factors.

    Raises MethodFailed when the optimiser fails or exceeds its time limit.
    """
    series = series.last_days(HISTORY_DAYS)
    columns = {
        name: values
        for name, values in training_columns(series).items()
        if name not in HOLIDAY_SHIFTS  # Prophet has its own effect for each holiday.
    }
    model = _new_model(series, tuple(columns))
    frame = _frame(series.start, len(series), columns)
    frame["y"] = series.demand
    try:
        with tempfile.TemporaryDirectory(prefix="prophet") as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(
                frame,
                algorithm="LBFGS",  # Newton, the default under 100 days, takes 30 times longer.
                iter=ITERATIONS_MAX,
                timeout=TIME_LIMIT_S,
                output_dir=folder,
            )
    except (RuntimeError, TimeoutError, ValueError) as error:
        raise MethodFailed(f"prophet could not be fitted: {error}") from error
    model.fit_kwargs = {}  # Holds the folder just removed, and would be stored with the model.
    return FittedProphet(model, tuple(columns), series)


def restore(parameters: Parameters, series: DemandSeries) -> FittedProphet:
    """Rebuild the model; it forecasts the days after `series` with what it learned at its fit."""
    _silence()
    from prophet.serialize import model_from_json  # noqa: PLC0415  # Workers only.

    with warnings.catch_warnings(action="ignore"):
        model = model_from_json(parameters["model"])
    return FittedProphet(model, tuple(str(name) for name in parameters["regressors"]), series)


def _new_model(series: DemandSeries, columns: tuple[str, ...]) -> Any:  # noqa: ANN401  # prophet publishes no types.
    _silence()
    from prophet import Prophet  # noqa: PLC0415  # Workers only.

    model = Prophet(
        weekly_seasonality=True,
        daily_seasonality=False,
        yearly_seasonality=len(series) >= YEARLY_FROM_DAYS,
        uncertainty_samples=0,
    )
    if series.country is not None:
        try:
            model.add_country_holidays(series.country)
        except (AttributeError, NotImplementedError):  # A country the package does not know.
            model.country_holidays = None
    for name in columns:
        model.add_regressor(name)
    return model


def _silence() -> None:
    """Prophet logs two lines per fit and an error about a plotting library it does not need."""
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).disabled = True
    logging.getLogger("cmdstanpy").addHandler(logging.NullHandler())


def _frame(first_day: date, days: int, columns: dict[str, FloatArray]) -> Any:  # noqa: ANN401  # pandas publishes no types here.
    import pandas as pd  # noqa: PLC0415  # Workers only.

    return pd.DataFrame({"ds": pd.date_range(first_day, periods=days, freq="D"), **columns})


def _to_slim_json(model: Any) -> str:  # noqa: ANN401  # prophet publishes no types.
    """Serialise without the training days, which prediction never reads: 20 KB instead of 130."""
    from prophet.serialize import model_to_dict  # noqa: PLC0415  # Workers only.

    history, history_dates = model.history, model.history_dates
    model.history, model.history_dates = history.iloc[:1], history_dates.iloc[:1]
    try:
        return json.dumps(model_to_dict(model), separators=(",", ":"))
    finally:
        model.history, model.history_dates = history, history_dates


PROPHET = Method("prophet", fit, restore, MIN_DAYS, follows_data=False, libraries=("prophet",))
