import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.forecasting.recommendations.rules.lead_time_demand import (
    demand_quantile,
    expected_demand,
    reorder_point,
    sum_variance,
)

paths = st.lists(st.floats(0, 1000), min_size=1, max_size=28)
variances = st.lists(st.floats(0, 1e5), min_size=1, max_size=28)
service_levels = st.floats(0.5, 0.9999)


def test_expected_demand_sums_the_first_days():
    assert expected_demand([1.0, 2.0, 4.0], 2) == 3.0


def test_expected_demand_goes_on_at_the_mean_beyond_the_path():
    assert expected_demand([1.0, 3.0], 5) == 4.0 + 3 * 2.0


def test_sum_variance_is_the_one_measured():
    assert sum_variance([4.0, 9.0, 16.0], 2) == 9.0


def test_sum_variance_of_independent_errors_grows_with_the_days():
    assert sum_variance([1.0, 2.0, 3.0, 4.0], 8) == pytest.approx(8.0)


def test_sum_variance_of_a_lasting_bias_grows_with_their_square():
    assert sum_variance([1.0, 4.0, 9.0, 16.0], 8) == pytest.approx(64.0)


def test_sum_variance_of_errors_that_cancel_never_falls():
    assert sum_variance([5.0, 3.0], 2) == 5.0


def test_reorder_point_of_exponential_demand_is_its_quantile():
    # One day with mean 2 and variance 4 is exponential: 2 ln 20.
    assert reorder_point([2.0], [4.0], 1, 0.95) == pytest.approx(5.991464547107982)


def test_reorder_point_without_errors_is_the_demand():
    assert reorder_point([2.0, 3.0], [0.0, 0.0], 2, 0.99) == 5.0


def test_nothing_is_needed_without_demand():
    assert demand_quantile([0.0, 0.0], [4.0, 4.0], 2, 0.95) == 0.0


@pytest.mark.parametrize("deviation", [0, 6, 163, 3281, 1e6])
def test_bound_and_reorder_point_stay_above_the_mean_however_unsure_it_is(deviation):
    path, variance = [30 / 7] * 7, [deviation**2] * 7

    assert demand_quantile(path, variance, 7, 0.9) >= 30 - 1e-9
    assert reorder_point(path, variance, 7, 0.95) >= 30 - 1e-9


@settings(deadline=None, max_examples=50)
@given(path=paths, variance=variances, days=st.integers(1, 30), level=service_levels)
def test_reorder_point_is_never_below_what_is_expected(path, variance, days, level):
    assert reorder_point(path, variance, days, level) >= expected_demand(path, days) * (1 - 1e-9)


@settings(deadline=None, max_examples=50)
@given(
    path=paths,
    variance=variances,
    more=st.floats(1, 1e6),
    days=st.integers(1, 30),
    level=service_levels,
)
def test_reorder_point_never_falls_as_errors_grow(path, variance, more, days, level):
    larger = [each * more for each in variance]

    known, unsure = (reorder_point(path, each, days, level) for each in (variance, larger))

    assert known <= unsure * (1 + 1e-8)


@settings(deadline=None, max_examples=50)
@given(path=paths, variance=variances, days=st.integers(1, 60), level=service_levels)
def test_reorder_point_rises_with_the_lead_time(path, variance, days, level):
    shorter = reorder_point(path, variance, days, level)

    assert reorder_point(path, variance, days + 1, level) >= shorter * (1 - 1e-9)


@settings(deadline=None, max_examples=50)
@given(
    path=paths, variance=variances, days=st.integers(1, 30), low=service_levels, high=service_levels
)
def test_reorder_point_rises_with_the_service_level(path, variance, days, low, high):
    low, high = sorted((low, high))

    lower, higher = (reorder_point(path, variance, days, level) for level in (low, high))

    assert lower <= higher * (1 + 1e-9)
