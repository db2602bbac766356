"""How accurate the forecasting methods are on real demand, item by item, on days never trained on.

    python -m benchmarks.forecast_accuracy sales.csv.gz --items 12 --country IT

The file has columns item,date,quantity[,promo]; a date without a row is a closed day. From each of
the last --origins origins every model trains on what lies before and is scored on the 28 days
after. relSN is the geometric mean over items of the mean absolute error against seasonal naive.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from statistics import geometric_mean, mean

from services.forecasting.methods.messages import DayForecast, Demand, TrainingRequest
from services.forecasting.methods.training import fit_series

HORIZON = 28
TRAINING_DAYS = 730
MODELS = ("seasonal_naive", "prophet", "arima", "auto")
BASELINE = "seasonal_naive"
ERROR_FLOOR = 1e-9


@dataclass(frozen=True)
class Day:
    quantity: float
    promo: float


@dataclass(frozen=True)
class Task:
    """One model on one item from one origin."""

    model: str
    request: TrainingRequest
    actual: dict[str, float]


@dataclass(frozen=True)
class Score:
    model: str
    item: str
    demand_class: str
    absolute_error: float
    squared_error: float
    covered_80: float
    covered_95: float
    cpu_s: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--items", type=int, default=12, help="items drawn from each file")
    parser.add_argument("--origins", type=int, default=2)
    parser.add_argument("--country", help="ISO code of the public holidays")
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()

    models = dict.fromkeys([BASELINE, *options.models])
    tasks = [
        task
        for path in options.files
        for item, days in _sample(path, options.items, options.seed)
        for task in _tasks(item, days, options.origins, options.country, models)
    ]
    context = get_context("spawn")
    with ProcessPoolExecutor(options.workers, mp_context=context) as pool:
        list(pool.map(_warm_up, range(options.workers)))
        scores = list(pool.map(_score, tasks))
    _print_table(scores, models)


def _sample(path: Path, items: int, seed: int) -> Iterable[tuple[str, dict[date, Day]]]:
    sales: dict[str, dict[date, Day]] = defaultdict(dict)
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            sales[row["item"]][date.fromisoformat(row["date"])] = Day(
                quantity=max(float(row["quantity"]), 0.0), promo=float(row.get("promo") or 0)
            )
    chosen = sorted(sales)
    random.Random(seed).shuffle(chosen)
    return [(item, sales[item]) for item in chosen[:items]]


def _tasks(
    item: str, days: dict[date, Day], origins: int, country: str | None, models: Iterable[str]
) -> Iterable[Task]:
    last = max(days)
    for back in range(origins, 0, -1):
        train_to = last - timedelta(days=HORIZON * back)
        train_from = max(min(days), train_to - timedelta(days=TRAINING_DAYS - 1))
        if (train_to - train_from).days < 3 * HORIZON:
            continue
        ahead = [train_to + timedelta(days=i + 1) for i in range(HORIZON)]
        span = [train_from + timedelta(days=i) for i in range((ahead[-1] - train_from).days + 1)]
        demand = Demand(
            first_day=train_from.isoformat(),
            last_day=train_to.isoformat(),
            quantity={d.isoformat(): days[d].quantity for d in span if d in days and d <= train_to},
            closed=[d.isoformat() for d in span if d not in days],
            factors={"promo": {d.isoformat(): days[d].promo for d in span if d in days}},
            country=country,
        )
        actual = {d.isoformat(): days[d].quantity for d in ahead if d in days}
        for model in models:
            request = TrainingRequest(key=item, model_type=model, horizon=HORIZON, demand=demand)
            yield Task(model, request, actual)


def _warm_up(_: int) -> None:
    """Import the libraries, so that the first item does not pay for them."""
    start = date(2025, 1, 6)
    quantity = {(start + timedelta(days=i)).isoformat(): float(i % 7 + i % 5) for i in range(100)}
    demand = Demand(first_day="2025-01-06", last_day="2025-04-15", quantity=quantity)
    fit_series(TrainingRequest(key="", model_type="auto", horizon=7, demand=demand))


def _score(task: Task) -> Score:
    result = fit_series(task.request)
    points = [point for point in result["points"] if point["date"] in task.actual]
    errors = [point["mean"] - task.actual[point["date"]] for point in points]
    return Score(
        model=task.model,
        item=result["key"],
        demand_class=result["demand_class"],
        absolute_error=mean(abs(error) for error in errors),
        squared_error=mean(error**2 for error in errors),
        covered_80=mean(_is_inside(point, task.actual, "80") for point in points),
        covered_95=mean(_is_inside(point, task.actual, "95") for point in points),
        cpu_s=result["cpu_s"],
    )


def _is_inside(point: DayForecast, actual: dict[str, float], level: str) -> bool:
    lower, upper = (
        (point["lower_80"], point["upper_80"])
        if level == "80"
        else (point["lower_95"], point["upper_95"])
    )
    return lower <= actual[point["date"]] <= upper


def _print_table(scores: Sequence[Score], models: Iterable[str]) -> None:
    classes = sorted({score.demand_class for score in scores})
    print(f"{'model':15} {'relSN':>6} {'RMSSE':>6} {'c80':>5} {'c95':>5} {'CPU s':>6}", end="")
    print("".join(f" {name[:13]:>13}" for name in classes))
    for model in models:
        own = [score for score in scores if score.model == model]
        print(
            f"{model:15} {_ratio(scores, model, squared=False):6.3f}"
            f" {_ratio(scores, model, squared=True):6.3f}"
            f" {mean(s.covered_80 for s in own):5.2f} {mean(s.covered_95 for s in own):5.2f}"
            f" {mean(s.cpu_s for s in own):6.2f}",
            end="",
        )
        for name in classes:
            part = [score for score in scores if score.demand_class == name]
            print(f" {_ratio(part, model, squared=False):13.3f}", end="")
        print()
    items = {score.item for score in scores}
    print(f"{len(items)} items, {len(scores)} trainings; RMSSE is relative to seasonal naive too")


def _ratio(scores: Sequence[Score], model: str, *, squared: bool) -> float:
    """Geometric mean over items of the error against the baseline's, over all origins."""
    errors: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for score in scores:
        error = score.squared_error if squared else score.absolute_error
        errors[score.item][score.model] += error
    ratios = [
        (by_model[model] + ERROR_FLOOR) / (by_model[BASELINE] + ERROR_FLOOR)
        for by_model in errors.values()
    ]
    ratio = geometric_mean(ratios)
    return math.sqrt(ratio) if squared else ratio


if __name__ == "__main__":
    main()
