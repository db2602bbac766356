import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.forecasting.recommendations.rules.gamma import (
    covering_quantile,
    gamma_cdf,
    gamma_quantile,
)

upper_levels = st.floats(0.5, 0.9999)
means = st.floats(1e-6, 1e9)
deviations = st.floats(0, 1e5)  # In means.


@pytest.mark.slow
@settings(deadline=None, max_examples=50)
@given(
    level=st.floats(0.01, 0.9999),
    mean=st.floats(0.01, 1e5),
    dispersion=st.floats(1e-8, 50.0),  # Variance over mean squared: shapes from 0.02 to 10^8.
)
def test_quantile_agrees_with_scipy(level, mean, dispersion):
    from scipy import stats  # noqa: PLC0415 - slow to load; collecting need not wait for it.

    variance = dispersion * mean**2

    found = gamma_quantile(level, mean, variance)

    expected = stats.gamma.ppf(level, 1 / dispersion, scale=variance / mean)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-200)


@pytest.mark.slow
@settings(deadline=None, max_examples=50)
@given(x=st.floats(1e-6, 1e4), shape=st.floats(1e-2, 1e4))
def test_cdf_agrees_with_scipy(x, shape):
    from scipy import stats  # noqa: PLC0415 - same.

    assert gamma_cdf(x, shape) == pytest.approx(stats.gamma.cdf(x, shape), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("level", "mean", "variance", "quantile"),  # By scipy.stats.gamma.ppf.
    [
        (0.95, 10.0, 20.0, 18.307038053275146),
        (0.5, 3.0, 90.0, 0.01780173313380685),
        (0.999, 250.0, 250.0, 301.7230028975888),
        (0.05, 8.0, 1.0, 6.429212722176794),
    ],
)
def test_quantiles_of_all_shapes(level, mean, variance, quantile):
    assert gamma_quantile(level, mean, variance) == pytest.approx(quantile, rel=1e-9)


def test_shape_one_is_the_exponential_distribution():
    # An exponential with mean 2 stays below 2 ln 20 with chance 0.95.
    assert gamma_quantile(0.95, 2.0, 4.0) == pytest.approx(5.991464547107982)


def test_without_variance_the_quantile_is_the_mean():
    assert gamma_quantile(0.99, 7.0, 0.0) == 7.0


def test_next_to_no_variance_is_none():
    assert gamma_quantile(0.5, 50.0, 6.9e-304) == 50.0


def test_nothing_lies_below_zero():
    assert gamma_cdf(-1.0, 2.0) == 0.0


@pytest.mark.parametrize(
    ("level", "mean", "variance"), [(0.0, 1, 1), (1.0, 1, 1), (0.9, 0, 1), (0.9, 1, -1)]
)
def test_quantile_refuses_what_has_no_answer(level, mean, variance):
    with pytest.raises(ValueError, match="gamma quantile needs"):
        gamma_quantile(level, mean, variance)


def test_cdf_refuses_a_shape_of_zero():
    with pytest.raises(ValueError, match="must be positive"):
        gamma_cdf(1.0, 0.0)


@settings(deadline=None, max_examples=100)
@given(level=upper_levels, mean=means, deviation=deviations, more=st.floats(1, 1e3))
def test_a_covering_quantile_never_falls_as_the_variance_grows(level, mean, deviation, more):
    known, unsure = (
        covering_quantile(level, mean, (spread * mean) ** 2)
        for spread in (deviation, deviation * more)
    )

    assert mean <= known <= unsure * (1 + 1e-8)


@settings(deadline=None, max_examples=100)
@given(mean=means, deviation=deviations, low=st.floats(0.01, 0.9999), high=st.floats(0.01, 0.9999))
def test_a_covering_quantile_never_falls_as_the_level_rises(mean, deviation, low, high):
    low, high = sorted((low, high))

    lower, upper = (covering_quantile(p, mean, (deviation * mean) ** 2) for p in (low, high))

    assert lower <= upper * (1 + 1e-8)


@pytest.mark.parametrize(
    ("level", "mean", "variance"), [(0.9, 30.0, 120.0), (0.95, 10.0, 100.0), (0.99, 5.0, 50.0)]
)
def test_ordinary_demand_is_covered_by_the_plain_quantile(level, mean, variance):
    assert covering_quantile(level, mean, variance) == gamma_quantile(level, mean, variance)


@pytest.mark.parametrize(("level", "multiple"), [(0.9, 3.02465), (0.95, 5.82700)])
def test_beyond_the_peak_the_quantile_stays_there(level, multiple):
    # The largest of scipy.stats.gamma.ppf(level, shape) / shape over all shapes.
    assert covering_quantile(level, 10.0, 1e7) == pytest.approx(10 * multiple, rel=1e-5)
