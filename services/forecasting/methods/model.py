"""A trained model: one method, or a weighted mean of several, as JSON-able data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TypedDict

import numpy as np

from services.forecasting.methods.arima import ARIMA
from services.forecasting.methods.backtest import bounded
from services.forecasting.methods.intervals import Calibration
from services.forecasting.methods.method import Fitted, IncompatibleModel, Method, Parameters
from services.forecasting.methods.naive import SEASONAL_NAIVE, WINDOW_AVERAGE
from services.forecasting.methods.prophet import PROPHET
from services.forecasting.methods.regression import REGRESSION
from services.forecasting.methods.series import DemandSeries, FloatArray, KnownAhead
from services.forecasting.methods.smoothing import IMAPA, TSB

SCHEMA = 1
COMBINATION = "combination"
NO_DEMAND = "no_demand"

# Cheapest first: when time runs out, the expensive ones are missing.
METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (SEASONAL_NAIVE, WINDOW_AVERAGE, REGRESSION, TSB, IMAPA, PROPHET, ARIMA)
}


class StoredMember(TypedDict):
    method: str
    weight: float
    parameters: Parameters


class StoredModel(TypedDict):
    """What a model table keeps; `checksum` is the SHA-256 of everything else."""

    schema: int
    libraries: dict[str, str]
    members: list[StoredMember]
    calibration: dict[str, float]
    history_max: float
    checksum: str


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """Fitted members with their weights; none at all forecasts zero (an item nobody wants)."""

    members: tuple[tuple[str, float, Fitted], ...]
    calibration: Calibration
    history_max: float

    def forecast(self, horizon: int, known: KnownAhead) -> FloatArray:
        """Mean demand per day in stock units, between zero and three times the largest day seen."""
        mean = np.zeros(horizon)
        for _, weight, fitted in self.members:
            mean += weight * bounded(fitted.forecast(horizon, known), known, self.history_max)
        return mean

    def to_stored(self) -> StoredModel:
        libraries = sorted({lib for name, _, _ in self.members for lib in METHODS[name].libraries})
        stored = StoredModel(
            schema=SCHEMA,
            libraries={library: version(library) for library in libraries},
            members=[
                {"method": name, "weight": weight, "parameters": fitted.to_parameters()}
                for name, weight, fitted in self.members
            ],
            calibration=self.calibration.to_parameters(),
            history_max=self.history_max,
            checksum="",
        )
        stored["checksum"] = _checksum(stored)
        return stored


def restore_model(stored: StoredModel, series: DemandSeries) -> TrainedModel:
    """Rebuild a model over `series`, which may have grown since training.

    Raises IncompatibleModel for an unknown schema or method, another major version of a library,
    or content that does not match its checksum; MethodFailed when regressors are missing.
    """
    if stored["schema"] != SCHEMA:
        raise IncompatibleModel(f"model schema {stored['schema']} is not {SCHEMA}")
    if stored["checksum"] != _checksum(stored):
        raise IncompatibleModel("the stored model does not match its checksum")
    for library, trained_with in stored["libraries"].items():
        if version(library).split(".")[0] != trained_with.split(".")[0]:
            raise IncompatibleModel(f"trained with {library} {trained_with}")
    unknown = [each["method"] for each in stored["members"] if each["method"] not in METHODS]
    if unknown:
        raise IncompatibleModel(f"unknown methods: {', '.join(unknown)}")
    members = tuple(
        (
            each["method"],
            each["weight"],
            METHODS[each["method"]].restore(each["parameters"], series),
        )
        for each in stored["members"]
    )
    return TrainedModel(members, Calibration(**stored["calibration"]), stored["history_max"])


def _checksum(stored: StoredModel) -> str:
    content = {key: value for key, value in stored.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
