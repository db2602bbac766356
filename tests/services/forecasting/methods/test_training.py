import json
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta

import numpy as np
import pytest

from services.forecasting.methods import training
from services.forecasting.methods.intervals import Calibration
from services.forecasting.methods.method import IncompatibleModel, MethodFailed, TooLittleData
from services.forecasting.methods.model import METHODS, TrainedModel, restore_model
from services.forecasting.methods.training import demand_series, fit_series

FIRST_DAY = date(2024, 11, 18)


def day(number):
    return (FIRST_DAY + timedelta(days=number)).isoformat()


def demand_of(quantities, **columns):
    return {
        "first_day": day(0),
        "last_day": day(len(quantities) - 1),
        "quantity": {day(i): float(value) for i, value in enumerate(quantities) if value},
    } | columns


def request(quantities, model_type="auto", horizon=14, **columns):
    return {
        "key": "spaghetti",
        "model_type": model_type,
        "horizon": horizon,
        "demand": demand_of(quantities, **columns),
    }


@pytest.fixture
def only_cheap(monkeypatch):
    """Leave out the two methods that take seconds to import."""
    cheap = {name: method for name, method in METHODS.items() if name not in {"prophet", "arima"}}
    monkeypatch.setattr(training, "METHODS", cheap)


@pytest.fixture
def slow_mover():
    rng = np.random.default_rng(4)
    return rng.poisson(3, 400) * (rng.random(400) < 0.2)


def test_result_is_plain_json(only_cheap, weekly_demand):
    result = fit_series(request(weekly_demand(300)))

    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_points_follow_the_last_day_with_ordered_bounds(only_cheap, weekly_demand):
    result = fit_series(request(weekly_demand(300)))

    assert [point["date"] for point in result["points"]] == [day(300 + i) for i in range(14)]
    for point in result["points"]:
        ordered = [point[name] for name in ("lower_95", "lower_80", "mean", "upper_80", "upper_95")]
        assert ordered[0] >= 0
        assert ordered == sorted(ordered)


def test_a_weekly_pattern_beats_the_baseline(only_cheap, weekly_demand):
    result = fit_series(request(weekly_demand(300)))

    assert result["beats_baseline"]
    assert result["accuracy"]["rmsse"] < result["baseline"]["rmsse"]
    assert result["accuracy"]["mase"] < 0.85
    assert 0.7 <= result["accuracy"]["coverage_80"] <= 0.95
    assert sum(result["weights"].values()) == pytest.approx(1.0)


def test_sum_errors_cover_the_backtest_horizon(only_cheap, weekly_demand):
    result = fit_series(request(weekly_demand(300)))

    assert len(result["sum_error_variance"]) == result["backtest_horizon"] == 14
    assert result["origins"] == 3


def test_the_same_request_gives_the_same_forecast(only_cheap, weekly_demand):
    first, second = (fit_series(request(weekly_demand(200))) for _ in range(2))

    assert first["points"] == second["points"]
    assert first["model"]["checksum"] == second["model"]["checksum"]


def restored(stored, demand):
    """Return the forecast of a stored model over a demand."""
    series = demand_series(demand, 14)
    return restore_model(stored, series).forecast(14, series.known)


@pytest.mark.parametrize("name", ["seasonal_naive", "window_average", "regression", "tsb", "imapa"])
def test_a_stored_method_forecasts_what_it_did_when_fitted(name, weekly_demand):
    series = demand_series(demand_of(weekly_demand(200)), 14)
    fitted = METHODS[name].fit(series, None)

    again = METHODS[name].restore(json.loads(json.dumps(fitted.to_parameters())), series)

    assert again.forecast(14, series.known).tolist() == fitted.forecast(14, series.known).tolist()


def test_the_forecast_is_that_of_the_stored_model(only_cheap, weekly_demand):
    asked = request(weekly_demand(200))
    result = fit_series(asked)

    mean = restored(json.loads(json.dumps(result["model"])), asked["demand"])

    assert mean.tolist() == [point["mean"] for point in result["points"]]


def test_a_stored_model_takes_in_newer_days(only_cheap):
    asked = request([5] * 100, "seasonal_naive")
    stored = fit_series(asked)["model"]

    mean = restored(stored, demand_of([5] * 100 + [9] * 7))

    assert mean.tolist() == [9] * 14


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"schema": 99}, "schema"),
        ({"history_max": 1e9}, "checksum"),
        ({"members": [{"method": "oracle", "weight": 1.0, "parameters": {}}]}, "checksum"),
    ],
)
def test_a_damaged_model_is_refused(only_cheap, weekly_demand, changed, message):
    asked = request(weekly_demand(100))
    stored = fit_series(asked)["model"] | changed

    with pytest.raises(IncompatibleModel, match=message):
        restored(stored, asked["demand"])


def test_a_dead_item_is_forecast_at_zero(only_cheap, weekly_demand):
    result = fit_series(request([*weekly_demand(200), *[0] * 120]))

    assert result["model_type"] == "no_demand"
    assert {point["upper_95"] for point in result["points"]} == {0.0}


@pytest.mark.slow
def test_slow_movers_are_not_given_prophet(slow_mover):
    result = fit_series(request(slow_mover))

    assert not {"prophet", "arima"} & set(result["candidates"])
    assert result["demand_class"] in {"intermittent", "lumpy"}


def test_closed_days_ahead_are_forecast_at_zero(only_cheap, weekly_demand):
    result = fit_series(request(weekly_demand(200), closed=[day(203)]))

    closed = result["points"][3]
    assert closed["mean"] == closed["upper_95"] == 0.0
    assert result["points"][4]["mean"] > 0


def test_bounds_stay_within_three_times_the_largest_day(make_series):
    series = make_series([4] * 56)
    wild = Calibration(-1.0, -1.0, 1.0, 500.0, growth_per_day=0.0, level_floor=1.0)
    member = METHODS["window_average"].fit(series, None)
    model = TrainedModel((("window_average", 1.0, member),), wild, history_max=4.0)

    points = training._points(model, series, 2)

    assert [point["upper_80"] for point in points] == [6.0, 6.0]
    assert [point["upper_95"] for point in points] == [12.0, 12.0]


def test_a_long_horizon_goes_beyond_the_backtest(only_cheap, weekly_demand):
    result = fit_series(request(weekly_demand(300), horizon=90))

    assert len(result["points"]) == 90
    assert result["backtest_horizon"] == 28


def test_two_weeks_are_enough_for_a_simple_forecast(only_cheap):
    result = fit_series(request([3, 4, 5, 3, 4, 6, 7] * 2))

    assert result["model_type"] in {"seasonal_naive", "window_average"}
    assert "regression" in result["failures"]


def test_a_perfect_baseline_is_kept(only_cheap):
    result = fit_series(request([3, 4, 5, 3, 4, 6, 7] * 20))

    assert result["accuracy"]["mape"] == pytest.approx(0.0, abs=1e-9)
    assert not result["beats_baseline"]


@pytest.mark.parametrize(
    ("days", "model_type", "needed"), [(13, "auto", 14), (60, "arima", 70), (55, "prophet", 56)]
)
def test_too_little_data_is_told_with_numbers(days, model_type, needed):
    with pytest.raises(TooLittleData) as caught:
        fit_series(request([5] * days, model_type))

    assert (caught.value.usable_days, caught.value.needed_days) == (days, needed)


def test_days_before_the_first_sale_and_without_stock_are_not_data():
    sold_then_empty = [0] * 50 + [5] * 10 + [0] * 60

    with pytest.raises(TooLittleData) as caught:
        fit_series(request(sold_then_empty, censored=[day(i) for i in range(60, 120)]))

    assert caught.value.usable_days == 10


def test_an_item_that_sells_out_every_day_is_forecast_at_what_it_sold(only_cheap):
    result = fit_series(request([20] * 60, censored=[day(i) for i in range(60)]))

    assert [point["mean"] for point in result["points"]] == pytest.approx([20] * 14)
    assert result["usable_days"] == 60
    assert result["assumptions"] == [
        {"code": "sold_out_days_counted", "figures": {"sold_out_days": 60, "days": 60}}
    ]


def test_a_plain_history_needs_no_assumption(only_cheap, weekly_demand):
    assert fit_series(request(weekly_demand(100)))["assumptions"] == []


def test_an_unknown_model_type_is_refused(weekly_demand):
    with pytest.raises(ValueError, match="unknown model type: oracle"):
        fit_series(request(weekly_demand(100), "oracle"))


def test_when_time_runs_out_the_baseline_remains(weekly_demand):
    asked = request(weekly_demand(100)) | {"time_limit_s": 0.0}

    result = fit_series(asked)

    assert result["model_type"] == "seasonal_naive"
    assert result["failures"]["arima"] == "the time limit was reached"


def test_a_failing_method_is_named_and_left_out(only_cheap, monkeypatch, weekly_demand):
    def fail(series, earlier):
        raise MethodFailed("no fit")

    broken = training.METHODS["regression"].__class__("regression", fail, fail, 1, True)  # noqa: FBT003  # A row of the registry.
    monkeypatch.setitem(training.METHODS, "regression", broken)

    result = fit_series(request(weekly_demand(100)))

    assert result["failures"] == {"regression": "no fit"}


def test_a_failing_method_asked_for_raises(only_cheap, monkeypatch, weekly_demand):
    def fail(series, earlier):
        raise MethodFailed("no fit")

    broken = training.METHODS["regression"].__class__("regression", fail, fail, 1, True)  # noqa: FBT003  # A row of the registry.
    monkeypatch.setitem(training.METHODS, "regression", broken)

    with pytest.raises(MethodFailed, match="no fit"):
        fit_series(request(weekly_demand(100), "regression"))


def test_errors_survive_the_way_back_from_a_worker():
    error = pickle.loads(pickle.dumps(TooLittleData(5, 14)))  # noqa: S301  # Our own bytes.

    assert (error.usable_days, error.needed_days) == (5, 14)
    assert str(error) == "5 usable days of demand, at least 14 needed"


@pytest.mark.slow
def test_auto_trains_in_a_spawned_worker_on_one_thread(weekly_demand):
    promo = {day(i): 1.0 for i in range(0, 430, 9)}
    asked = request(weekly_demand(400), factors={"promo": promo}, country="IT")

    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        result = pool.submit(fit_series, asked).result(timeout=120)
        threads = pool.submit(_blas_threads).result(timeout=60)

    assert {"prophet", "arima"} <= set(result["candidates"])
    assert result["beats_baseline"]
    assert threads == "1"


def _blas_threads():
    import os  # noqa: PLC0415  # Runs in the worker.

    return os.environ["OPENBLAS_NUM_THREADS"]


@pytest.mark.slow
@pytest.mark.parametrize("model_type", ["prophet", "arima"])
def test_heavy_models_restore_to_the_same_forecast(model_type, weekly_demand):
    promo = {day(i): 1.0 for i in range(0, 830, 9)}
    asked = request(weekly_demand(800), model_type, factors={"promo": promo}, country="IT")

    result = fit_series(asked)
    series = demand_series(asked["demand"], 14)
    fitted = METHODS[model_type].fit(series, None)
    again = METHODS[model_type].restore(json.loads(json.dumps(fitted.to_parameters())), series)

    assert again.forecast(14, series.known) == pytest.approx(
        fitted.forecast(14, series.known), rel=1e-9
    )
    assert len(json.dumps(result["model"])) < 50_000
