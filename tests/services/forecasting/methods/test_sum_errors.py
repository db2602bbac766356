import numpy as np
import pytest

from services.forecasting.methods.backtest import plan_backtest
from services.forecasting.methods.sum_errors import MARGIN, sum_error_variance


def test_a_lasting_bias_adds_up(make_series):
    series = make_series([10] * 60)  # Too short for weekly origins inside the backtest to matter.
    plan = plan_backtest(series, 4, 3)

    variance = sum_error_variance(series, plan, plan.actual + 2)

    assert variance == pytest.approx([MARGIN * (2 * days) ** 2 for days in (1, 2, 3, 4)])


def test_errors_that_cancel_do_not_add_up(make_series):
    series = make_series([10] * 60)
    plan = plan_backtest(series, 4, 3)
    swing = np.resize([3.0, -3.0], plan.actual.shape)

    assert sum_error_variance(series, plan, plan.actual + swing) == pytest.approx([MARGIN * 9] * 4)


def test_independent_errors_grow_with_the_days(make_series):
    rng = np.random.default_rng(2)
    series = make_series(rng.poisson(50, 730))
    plan = plan_backtest(series, 28, 3)

    variance = sum_error_variance(series, plan, np.full((3, 28), 50.0))

    assert variance[13] == pytest.approx(MARGIN * 14 * 50, rel=0.4)
    assert variance == sorted(variance)


def test_a_lucky_backtest_does_not_hide_the_errors_of_the_year(make_series):
    rng = np.random.default_rng(2)
    series = make_series(rng.poisson(50, 730))
    plan = plan_backtest(series, 28, 3)

    variance = sum_error_variance(series, plan, plan.actual)

    assert variance[13] > 0.2 * 14 * 50


def test_days_without_stock_add_no_error(make_series):
    series = make_series([10] * 57 + [0] * 3, censored=[57, 58, 59])
    plan = plan_backtest(series, 3, 3)

    assert sum_error_variance(series, plan, np.full((3, 3), 10.0)) == [0.0, 0.0, 0.0]
