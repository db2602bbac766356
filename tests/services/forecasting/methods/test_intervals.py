import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from services.forecasting.methods.intervals import Calibration, bounds, calibrate, cross_coverage

quantities = st.floats(0, 1e4)


def residuals(rng, origins, horizon, level):
    return rng.poisson(level, (origins, horizon)).astype(float)


@settings(deadline=None, max_examples=50)
@given(
    actual=arrays(float, (3, 14), elements=quantities),
    forecast=arrays(float, (3, 14), elements=quantities),
    mean=arrays(float, 21, elements=quantities),
)
def test_bounds_are_ordered_and_never_negative(actual, forecast, mean):
    found = bounds(mean, calibrate(actual, forecast))

    assert np.all(found["lower_95"] >= 0)
    assert np.all(found["lower_95"] <= found["lower_80"])
    assert np.all(found["lower_80"] <= mean)
    assert np.all(mean <= found["upper_80"])
    assert np.all(found["upper_80"] <= found["upper_95"])


def test_a_forecast_of_next_to_nothing_is_met_by_nothing_without_a_warning():
    forecast = np.zeros((3, 14))
    forecast[0, 0] = 7.4e-106

    assert calibrate(np.zeros((3, 14)), forecast).growth_per_day == 0.0


def test_intervals_of_poisson_demand_cover_what_they_promise():
    rng = np.random.default_rng(5)
    mean = np.full((3, 28), 20.0)
    covered = {"80": [], "95": []}

    for _ in range(60):
        found = bounds(mean[0], calibrate(residuals(rng, 3, 28, 20.0), mean))
        future = residuals(rng, 1, 28, 20.0)[0]
        for name, shares in covered.items():
            inside = (found[f"lower_{name}"] <= future) & (future <= found[f"upper_{name}"])
            shares.append(inside.mean())

    assert 0.78 <= np.mean(covered["80"]) <= 0.88
    assert 0.94 <= np.mean(covered["95"]) <= 0.98


def test_the_finite_sample_rank_is_used():
    # Nine scores 1..9 at level 1: ceil(10 x 0.9) is the largest; 0.975 is beyond and stretched.
    found = calibrate(np.arange(2.0, 11.0).reshape(1, 9), np.ones((1, 9)))

    assert found.upper_80 == pytest.approx(9.0)
    assert found.upper_95 > 9.0


def test_spread_grows_with_the_root_of_the_forecast():
    calibration = Calibration(-2.0, -1.0, 1.0, 2.0, growth_per_day=0.0, level_floor=1.0)

    found = bounds(np.array([0.0, 4.0, 100.0]), calibration)

    assert found["upper_80"].tolist() == [1.0, 6.0, 110.0]
    assert found["lower_95"].tolist() == [0.0, 0.0, 80.0]


def test_spread_grows_with_the_days_ahead_where_errors_do():
    rng = np.random.default_rng(3)
    growing = 100 + rng.normal(size=(3, 28)) * (1 + np.arange(28))

    found = bounds(np.full(28, 100.0), calibrate(growing, np.full((3, 28), 100.0)))

    assert found["upper_80"][27] - 100 > 1.5 * (found["upper_80"][0] - 100)


def test_spread_stays_where_errors_do_not_grow():
    rng = np.random.default_rng(3)
    steady = 100 + rng.normal(size=(3, 28))

    assert calibrate(steady, np.full((3, 28), 100.0)).growth_per_day == 0.0


def test_unscored_days_teach_nothing():
    actual, forecast = np.full((3, 10), 5.0), np.full((3, 10), 5.0)
    actual[1, 4] = np.nan

    assert calibrate(actual, forecast).upper_95 == 0.0


def test_without_any_scored_day_the_interval_is_a_point():
    found = bounds(np.array([3.0]), calibrate(np.full((2, 3), np.nan), np.ones((2, 3))))

    assert found["lower_95"][0] == found["upper_95"][0] == 3.0


def test_cross_coverage_judges_each_origin_by_the_others():
    # The third origin is far from what the first two show, so its days are outside.
    actual = np.array([[9.0, 11.0] * 10, [9.0, 11.0] * 10, [90.0] * 20])

    covered = cross_coverage(actual, np.full((3, 20), 10.0))

    assert covered["80"] == pytest.approx(2 / 3)


def test_one_origin_cannot_be_judged():
    assert cross_coverage(np.ones((1, 5)), np.ones((1, 5))) == {"80": None, "95": None}
