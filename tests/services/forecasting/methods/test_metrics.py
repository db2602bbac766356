import numpy as np
import pytest

from services.forecasting.methods.metrics import (
    ErrorScales,
    accuracy,
    bucket_sums,
    coverage,
    error_scales,
    mape,
)

NAN = np.nan


def test_accuracy_by_hand():
    actual, forecast = np.array([10.0, 0.0, 5.0, NAN]), np.array([8.0, 1.0, 8.0, 99.0])

    found = accuracy(actual, forecast, ErrorScales(seasonal_mae=4.0, naive_mse=14.0))

    assert found.mape == pytest.approx((0.2 + 0.6) / 2)  # The day without demand has no percentage.
    assert found.wape == pytest.approx(6 / 15)
    assert found.mase == pytest.approx((6 / 3) / 4)
    assert found.rmsse == pytest.approx((14 / 3 / 14) ** 0.5)
    assert found.bias == pytest.approx(2 / 15)


def test_scales_by_hand(make_series):
    series = make_series([1, 1, 1, 1, 1, 1, 1, 3, 1, 1], censored=[9])

    scales = error_scales(series)

    assert scales.seasonal_mae == pytest.approx((2 + 0) / 2)
    assert scales.naive_mse == pytest.approx((4 + 4) / 8)


def test_seasonal_naive_scores_one_on_its_own_training_series(make_series, weekly_demand):
    demand = weekly_demand(70)
    scales = error_scales(make_series(demand))

    assert accuracy(demand[7:], demand[:-7], scales).mase == pytest.approx(1.0)


def test_a_constant_series_has_no_scale(make_series):
    found = accuracy(np.array([1.0]), np.array([2.0]), error_scales(make_series([4] * 20)))

    assert found.mase is None
    assert found.rmsse is None
    assert found.wape == 1.0


def test_without_demand_percentages_are_not_defined():
    found = accuracy(np.zeros(3), np.ones(3), ErrorScales(1.0, 1.0))

    assert (found.mape, found.wape, found.bias) == (None, None, None)
    assert found.mase == 1.0


def test_without_days_nothing_is_defined():
    found = accuracy(np.array([NAN]), np.ones(1), ErrorScales(1.0, 1.0))

    assert found.mase is None


def test_weekly_sums_leave_out_unscored_days_and_the_broken_week():
    actual, forecast = np.ones((2, 9)), np.full((2, 9), 2.0)
    actual[0, 3] = NAN

    wanted, given = bucket_sums(actual, forecast, 7)

    assert wanted.tolist() == [6.0, 7.0]
    assert given.tolist() == [12.0, 14.0]
    assert mape(wanted, given) == 1.0


def test_coverage_counts_the_bounds_themselves():
    actual = np.array([1.0, 2.0, 3.0, NAN])

    assert coverage(actual, np.full(4, 1.0), np.full(4, 2.0)) == pytest.approx(2 / 3)
    assert coverage(np.array([NAN]), np.zeros(1), np.zeros(1)) is None
