import numpy as np
import pytest

from services.forecasting.methods.naive import SEASONAL_NAIVE, WINDOW_AVERAGE
from services.forecasting.methods.series import KnownAhead


def forecast(method, series, horizon):
    return method.fit(series, None).forecast(horizon, KnownAhead()).tolist()


def test_seasonal_naive_repeats_the_last_week(make_series):
    series = make_series([9] * 7 + [1, 2, 3, 4, 5, 6, 7])

    assert forecast(SEASONAL_NAIVE, series, 9) == [1, 2, 3, 4, 5, 6, 7, 1, 2]


def test_seasonal_naive_continues_in_the_middle_of_a_week(make_series):
    assert forecast(SEASONAL_NAIVE, make_series(range(10)), 7) == [3, 4, 5, 6, 7, 8, 9]


def test_a_stock_out_day_is_replaced_by_the_week_before(make_series):
    series = make_series([10, 20, 30, 40, 50, 60, 70, 1, 2, 3, 4, 5, 6, 7], censored=[8])

    assert forecast(SEASONAL_NAIVE, series, 3) == [1, 20, 3]


def test_window_average_is_the_mean_of_eight_weeks(make_series):
    series = make_series([1000] * 7 + [w + d for w in range(8) for d in range(7)])

    assert forecast(WINDOW_AVERAGE, series, 7) == [3.5 + d for d in range(7)]


def test_a_weekday_never_open_gets_the_mean_of_the_others(make_series):
    series = make_series([3] * 28, closed=range(5, 28, 7))

    assert forecast(WINDOW_AVERAGE, series, 7) == [3] * 7


def test_less_than_a_week_is_averaged(make_series):
    assert forecast(SEASONAL_NAIVE, make_series([2, 4]), 7) == [3, 3, 3, 3, 3, 2, 4]


@pytest.mark.parametrize("method", [SEASONAL_NAIVE, WINDOW_AVERAGE])
def test_restored_parameters_give_the_same_forecast(make_series, weekly_demand, method):
    series = make_series(weekly_demand(90))
    fitted = method.fit(series, None)

    restored = method.restore(fitted.to_parameters(), series)

    assert np.array_equal(fitted.forecast(28, KnownAhead()), restored.forecast(28, KnownAhead()))
