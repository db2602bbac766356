"""What every forecasting method offers, so that backtest, selection and storage treat all alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from services.forecasting.methods.series import DemandSeries, FloatArray, KnownAhead

# JSON-able parameters of a fitted method; only the method that wrote them knows their shape.
Parameters: TypeAlias = dict[str, Any]


class TooLittleData(ValueError):
    """The series has fewer usable days than the method needs."""

    def __init__(self, usable_days: int, needed_days: int) -> None:
        self.usable_days = usable_days
        self.needed_days = needed_days
        super().__init__(usable_days, needed_days)  # Both, so that it survives pickling.

    def __str__(self) -> str:
        return f"{self.usable_days} usable days of demand, at least {self.needed_days} needed"


class MethodFailed(RuntimeError):
    """A method found no usable fit for this series (numeric failure or time limit)."""


class IncompatibleModel(ValueError):
    """Stored parameters are of an unknown method, another schema, or damaged."""


class Fitted(Protocol):
    """A method fitted to a series."""

    def forecast(self, horizon: int, known: KnownAhead) -> FloatArray:
        """Mean demand of the `horizon` days after the series; may be negative, never NaN."""

    def to_parameters(self) -> Parameters:
        """JSON-able parameters from which `Method.restore` gives the same forecast."""


@dataclass(frozen=True)
class Method:
    """One row of the registry.

    `fit(series, earlier)` may take order and starting values from parameters fitted earlier to a
    prefix of the series. `restore(parameters, series)` rebuilds the fitted method without
    estimation. `follows_data` tells that a restored method takes in newer days of the series; one
    that does not must be fitted again to learn from them.
    """

    name: str
    fit: Callable[[DemandSeries, Parameters | None], Fitted]
    restore: Callable[[Parameters, DemandSeries], Fitted]
    min_days: int
    follows_data: bool
    libraries: tuple[str, ...] = ("numpy",)
