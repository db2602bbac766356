"""From history to reorder point, over series as unkind as they come."""

import math
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.forecasting.methods import training
from services.forecasting.methods.model import METHODS
from services.forecasting.methods.training import fit_series
from services.forecasting.recommendations.rules.lead_time_demand import (
    demand_quantile,
    expected_demand,
    reorder_point,
)
from services.forecasting.recommendations.rules.replenishment import (
    Forecast,
    OrderPolicy,
    StockPosition,
    recommend,
)

pytestmark = pytest.mark.slow

FIRST_DAY = date(2026, 1, 5)
LEAD_TIME_DAYS = 7
LEVELS = (0.025, 0.1, 0.5, 0.8, 0.9, 0.95, 0.975, 0.999)
NOISE = 1 + 1e-8
OUTLIER_FACTOR = 2.0  # What one day, however large, may make of an order, or make it less by.

model_types = st.sampled_from(
    ["auto", "seasonal_naive", "window_average", "regression", "tsb", "imapa"]
)
lengths = st.integers(60, 150)  # Twice the least of any method.
spikes = st.sampled_from([50.0, 500.0, 1e4, 1e9])


@pytest.fixture(scope="module", autouse=True)
def _only_cheap():
    """Leave out the two methods that take seconds to import."""
    cheap = {name: method for name, method in METHODS.items() if name not in {"prophet", "arima"}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "METHODS", cheap)
        yield


@st.composite
def hostile_series(draw):
    """Zeros, constants, noise, rare sales, or all zero but one; tiny or huge; perhaps a spike.

    They begin with a sale, since a series is cut to what follows its first.
    """
    days = draw(lengths)
    scale = draw(st.sampled_from([1e-4, 1.0, 1e9]))
    quantity = draw(
        st.one_of(
            st.integers(0, 9).map(lambda each: [each] * days),
            st.lists(st.integers(0, 9), min_size=days, max_size=days),
            st.lists(st.sampled_from([0, 0, 0, 0, 0, 7]), min_size=days, max_size=days),
            st.integers(0, days - 1).map(lambda at: [int(day == at) for day in range(days)]),
        )
    )
    quantity = [scale * max(quantity[0], 1), *(scale * each for each in quantity[1:])]
    if draw(st.booleans()):
        quantity[draw(st.integers(0, days - 1))] = scale * draw(spikes)
    return quantity


@st.composite
def steady_series(draw):
    """Sales of every day, none more than twice another."""
    days = draw(lengths)
    return draw(st.lists(st.integers(3, 6), min_size=days, max_size=days))


def fit(quantity, model_type, sold_out=()):
    days = [(FIRST_DAY + timedelta(days=n)).isoformat() for n in range(len(quantity))]
    demand = {
        "first_day": days[0],
        "last_day": days[-1],
        "quantity": dict(zip(days, map(float, quantity), strict=True)),
        "censored": [days[n] for n in sold_out],
    }
    return fit_series({"key": "k", "model_type": model_type, "horizon": 14, "demand": demand})


def plan_for(result):
    first_day = date.fromisoformat(result["points"][0]["date"])
    means = [point["mean"] for point in result["points"]]
    forecast = Forecast(first_day, means, result["sum_error_variance"])
    return recommend(
        forecast,
        StockPosition(Decimal(0)),
        OrderPolicy(lead_time_days=LEAD_TIME_DAYS),
        today=first_day,
    )


@settings(deadline=None, max_examples=60)
@given(quantity=hostile_series(), model_type=model_types)
def test_the_bounds_of_a_day_lie_in_their_order(quantity, model_type):
    result = fit(quantity, model_type)

    for point in result["points"]:
        row = [point[name] for name in ("lower_95", "lower_80", "mean", "upper_80", "upper_95")]
        assert row[0] >= 0
        assert all(low <= high for low, high in pairwise(row))
        assert all(math.isfinite(value) for value in row)


@settings(deadline=None, max_examples=60)
@given(quantity=hostile_series(), model_type=model_types)
def test_lead_time_demand_rises_with_the_level_and_covers_the_mean(quantity, model_type):
    result = fit(quantity, model_type)
    path, variance = [p["mean"] for p in result["points"]], result["sum_error_variance"]

    bounds = [demand_quantile(path, variance, LEAD_TIME_DAYS, level) for level in LEVELS]
    expected = expected_demand(path, LEAD_TIME_DAYS)

    assert all(math.isfinite(value) and value >= 0 for value in (*bounds, *variance))
    assert all(low <= high * NOISE for low, high in pairwise(bounds))
    for level in (0.5, 0.8, 0.95, 0.999):
        assert reorder_point(path, variance, LEAD_TIME_DAYS, level) * NOISE >= expected


@settings(deadline=None, max_examples=60)
@given(quantity=hostile_series(), model_type=model_types)
def test_the_order_covers_what_is_expected(quantity, model_type):
    plan = plan_for(fit(quantity, model_type))

    assert plan.reorder_point >= plan.expected_demand or plan.expected_demand < Decimal("0.5")
    assert plan.order_quantity >= plan.reorder_point


@settings(deadline=None, max_examples=60)
@given(quantity=steady_series(), model_type=model_types, spike=spikes, data=st.data())
def test_one_outlier_moves_an_order_by_less_than_the_factor(quantity, model_type, spike, data):
    spiked = list(quantity)
    spiked[data.draw(st.integers(0, len(quantity) - 1))] = spike

    usual, moved = (plan_for(fit(each, model_type)) for each in (quantity, spiked))

    for name in ("reorder_point", "order_quantity", "expected_demand"):
        ratio = float(getattr(moved, name) / getattr(usual, name))
        assert 1 / OUTLIER_FACTOR < ratio < OUTLIER_FACTOR


@settings(deadline=None, max_examples=60)
@given(quantity=steady_series(), model_type=model_types, data=st.data())
def test_a_few_outliers_move_an_order_by_less_than_the_factor(quantity, model_type, data):
    few = math.ceil(0.02 * len(quantity))
    places = data.draw(st.sets(st.integers(0, len(quantity) - 1), min_size=2, max_size=few))
    spiked = list(quantity)
    for place in places:
        spiked[place] = data.draw(st.sampled_from([500.0, 5000.0, 1e9]))

    usual, moved = (plan_for(fit(each, model_type)) for each in (quantity, spiked))

    for name in ("reorder_point", "order_quantity", "expected_demand"):
        ratio = float(getattr(moved, name) / getattr(usual, name))
        assert 1 / OUTLIER_FACTOR < ratio < OUTLIER_FACTOR


@pytest.mark.parametrize("outlier", [500, 10_000])
@pytest.mark.parametrize("place", [30, 150, 190, 199])
@pytest.mark.parametrize("model_type", ["auto", "seasonal_naive"])
def test_a_lead_time_of_thirty_units_is_covered_whatever_one_day_sold(outlier, place, model_type):
    quantity = [3 + (5 * day + day // 7) % 4 for day in range(200)]
    quantity[place] = outlier
    result = fit(quantity, model_type)
    path, variance = [p["mean"] for p in result["points"]], result["sum_error_variance"]

    expected = expected_demand(path, LEAD_TIME_DAYS)
    upper_80 = demand_quantile(path, variance, LEAD_TIME_DAYS, 0.9)
    plan = plan_for(result)

    assert 25 < expected < 45
    assert expected <= upper_80 < 60
    assert upper_80 <= plan.reorder_point < 70
    assert plan.order_quantity > 0


@settings(deadline=None, max_examples=30)
@given(quantity=steady_series(), model_type=model_types, data=st.data())
def test_how_large_an_outlier_was_does_not_matter(quantity, model_type, data):
    place = data.draw(st.integers(0, len(quantity) - 1))
    spiked = [[*quantity[:place], spike, *quantity[place + 1 :]] for spike in (500, 10_000)]

    large, larger = (plan_for(fit(each, model_type)) for each in spiked)

    assert large == larger


@settings(deadline=None, max_examples=30)
@given(quantity=steady_series(), model_type=model_types, data=st.data())
def test_days_sold_out_never_leave_an_item_without_a_forecast(quantity, model_type, data):
    days = st.integers(0, len(quantity) - 1)
    sold_out = data.draw(st.one_of(st.sets(days), st.just(set(range(len(quantity))))))

    result = fit(quantity, model_type, sold_out)

    assert 3 * 14 <= sum(point["mean"] for point in result["points"]) <= 6 * 14
