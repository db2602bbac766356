"""Which methods to try on an item, and which of them, or which mean of them, to keep."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp
from statistics import median

from services.forecasting.methods.metrics import Accuracy
from services.forecasting.methods.naive import SEASONAL_NAIVE, WINDOW_AVERAGE
from services.forecasting.methods.series import DemandProfile

ZERO_SHARE_MAX = 0.6  # Above it Prophet and ARIMA model noise.
COMBINED_MAX = 4
SHARPNESS = 10.0  # Of the weights exp(-sharpness x score gap).
WEIGHT_MIN = 0.1  # A smaller share is not worth the cost of a model.
BASELINE = SEASONAL_NAIVE.name
FALLBACK = WINDOW_AVERAGE.name


def candidate_methods(item: DemandProfile) -> tuple[str, ...]:
    """Names of the methods worth trying on an item, the baseline always among them."""
    names = [BASELINE, FALLBACK, "regression", "imapa"]
    if item.is_intermittent:
        names.append("tsb")
    if item.zero_share <= ZERO_SHARE_MAX:
        names += ["prophet", "arima"]
    return tuple(names)


def scores(accuracies: Mapping[str, Accuracy], item: DemandProfile) -> dict[str, float]:
    """Score each method relative to the candidates' median; 1 is ordinary, lower is better.

    0.5 MASE + 0.5 RMSSE, but RMSSE alone for intermittent demand, where the median is zero and
    absolute errors reward a forecast of nothing. Methods that cannot be scored count as ordinary.
    """
    rmsse = _relative({name: each.rmsse for name, each in accuracies.items()})
    if item.is_intermittent:
        return rmsse
    mase = _relative({name: each.mase for name, each in accuracies.items()})
    return {name: 0.5 * mase[name] + 0.5 * rmsse[name] for name in accuracies}


def weigh(score: Mapping[str, float]) -> dict[str, float]:
    """Weights (summing to 1) of the best methods, falling fast with their distance from the best.

    A mean of the best four beat the single best on 60 real items in each of three periods: picking
    a winner on three origins picks luck too. The baseline takes part only where it is alone.
    """
    rivals = {name: value for name, value in score.items() if name != BASELINE} or dict(score)
    best_first = sorted(rivals, key=lambda name: rivals[name])[:COMBINED_MAX]
    least = rivals[best_first[0]]
    raw = {name: exp(-SHARPNESS * (rivals[name] - least)) for name in best_first}
    total = sum(raw.values())
    kept = {name: weight for name, weight in raw.items() if weight >= WEIGHT_MIN * total}
    total = sum(kept.values())
    return {name: weight / total for name, weight in kept.items()}


def beats(accuracy: Accuracy, baseline: Accuracy) -> bool:
    """Say whether RMSSE is below the baseline's; an unknown one beats nothing."""
    if accuracy.rmsse is None or baseline.rmsse is None:
        return False
    return accuracy.rmsse < baseline.rmsse


def _relative(errors: Mapping[str, float | None]) -> dict[str, float]:
    known = [error for error in errors.values() if error is not None]
    middle = median(known) if known else 0.0
    return {
        name: error / middle if error is not None and middle > 0 else 1.0
        for name, error in errors.items()
    }
