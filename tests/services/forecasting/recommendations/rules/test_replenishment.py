from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.forecasting.recommendations.rules.replenishment import (
    Forecast,
    OrderPolicy,
    StockPosition,
    economic_quantity,
    explain,
    order_quantity,
    recommend,
    stock_out_day,
)
from shared.contracts.forecasting.recommendations import ReasonCode

TODAY = date(2026, 11, 23)
D = Decimal


def steady(daily=10.0, days=28, variance=0.0):
    return Forecast(TODAY, [daily] * days, [variance * length for length in range(1, days + 1)])


def decide(position, policy, forecast=None):
    return recommend(forecast or steady(), position, policy, today=TODAY)


def reason_of(position, policy, forecast=None):
    return explain(decide(position, policy, forecast), position, policy, today=TODAY)


def test_steady_demand_reorders_at_lead_time_demand():
    plan = decide(StockPosition(D(100)), OrderPolicy(lead_time_days=5))

    assert plan.reorder_point == plan.expected_demand == D(50)
    assert plan.safety_stock == 0
    assert plan.order_by == TODAY + timedelta(days=5)
    assert plan.order_quantity == 0
    assert plan.stock_out_on == TODAY + timedelta(days=10)


def test_review_period_is_protected_too():
    plan = decide(StockPosition(D(100)), OrderPolicy(lead_time_days=5, review_days=7))

    assert plan.expected_demand == D(120)


def test_safety_stock_is_reorder_point_less_expected_demand():
    # Five days: mean 50, variance 500, so shape 5 and scale 10; scipy.stats.gamma.ppf(0.95, 5) * 10
    # is 91.535.
    plan = decide(
        StockPosition(D(1000)),
        OrderPolicy(lead_time_days=5),
        Forecast(TODAY, [10.0] * 28, [500.0] * 28),
    )

    # The first days' gamma is the more skewed one at equal variance, yet lower.
    assert plan.reorder_point == D(92)
    assert plan.safety_stock == D(42)


def test_order_fills_up_to_the_level_in_whole_packs():
    policy = OrderPolicy(lead_time_days=5, cover_days=14, pack_size=D(12))

    plan = decide(StockPosition(D(30)), policy)

    assert plan.order_up_to == D(190)  # 50 for the lead time, 140 for two weeks.
    assert plan.order_by == TODAY
    assert plan.order_quantity == D(168)  # 160 needed, 14 packs of 12.


def test_incoming_orders_count_for_the_position():
    position = StockPosition(D(20), incoming=[(TODAY + timedelta(days=1), D(100))])

    plan = decide(position, OrderPolicy(lead_time_days=5))

    assert plan.order_quantity == 0
    assert reason_of(position, OrderPolicy(lead_time_days=5)).code is ReasonCode.COVERED_BY_ORDERS


def test_reserved_stock_is_not_available():
    plan = decide(StockPosition(D(100), reserved=D(60)), OrderPolicy(lead_time_days=5))

    assert plan.order_by == TODAY


def test_minimum_order_is_kept():
    policy = OrderPolicy(lead_time_days=1, cover_days=1, minimum_order=D(500), pack_size=D(48))

    assert decide(StockPosition(D(0)), policy).order_quantity == D(528)


def test_economic_quantity_is_the_textbook_one():
    # D = 1,000 a year, K = 10, h = 0.5: sqrt(2 * 10 * 1000 / 0.5) = 200 (Silver, Pyke & Thomas).
    policy = OrderPolicy(lead_time_days=5, order_cost=D(10), holding_cost=D("0.5"))

    assert economic_quantity([1000 / 365] * 28, policy) == pytest.approx(200.0)


def test_one_cost_alone_gives_no_economic_quantity():
    for known in ({"order_cost": D(10)}, {"holding_cost": D(1)}):
        policy = OrderPolicy(lead_time_days=5, cover_days=14, **known)

        assert economic_quantity([10.0] * 28, policy) == 140.0


def test_no_need_is_no_order_whatever_the_minimum():
    policy = OrderPolicy(lead_time_days=1, minimum_order=D(5))

    assert order_quantity(D(0), policy) == 0


def test_half_a_unit_is_ordered_where_packs_are_as_small():
    policy = OrderPolicy(lead_time_days=1, pack_size=D("0.5"))

    assert order_quantity(D("0.5"), policy) == D("0.5")


def test_half_a_unit_of_demand_is_stocked_by_a_whole_one():
    assert (
        decide(StockPosition(D(9)), OrderPolicy(lead_time_days=1), steady(0.5)).reorder_point == 1
    )


def test_stock_at_the_reorder_point_is_covered_by_what_is_on_order():
    position = StockPosition(D(50), incoming=[(TODAY, D(100))])

    reason = reason_of(position, OrderPolicy(lead_time_days=5))

    assert reason.code is ReasonCode.COVERED_BY_ORDERS


@pytest.mark.parametrize("level", [0.5, 0.9999])
def test_service_levels_go_from_half_to_almost_one(level):
    assert OrderPolicy(lead_time_days=5, service_level=level).service_level == level


def test_shelf_life_caps_the_quantity():
    policy = OrderPolicy(lead_time_days=2, cover_days=30, shelf_life_days=4)

    assert economic_quantity([10.0] * 28, policy) == 40.0


def test_stock_unit_may_be_a_fraction():
    policy = OrderPolicy(lead_time_days=3, unit_step=D("0.001"), pack_size=D("0.5"))

    plan = decide(StockPosition(D(0)), policy, steady(0.33333))

    assert plan.reorder_point == D("1.000")
    assert plan.order_quantity % D("0.5") == 0


def test_the_largest_quantities_are_ordered_too():
    plan = decide(StockPosition(D(0)), OrderPolicy(lead_time_days=730), steady(1e21))

    assert plan.reorder_point == plan.expected_demand
    assert float(plan.order_quantity) == pytest.approx(744e21)


def test_arrivals_postpone_the_stock_out():
    position = StockPosition(D(25), incoming=[(TODAY + timedelta(days=2), D(20))])

    assert stock_out_day([10.0] * 28, position, today=TODAY) == TODAY + timedelta(days=4)


def test_overdue_arrivals_are_expected_today():
    position = StockPosition(D(0), incoming=[(TODAY - timedelta(days=3), D(15))])

    assert stock_out_day([10.0] * 28, position, today=TODAY) == TODAY + timedelta(days=1)


def test_days_before_today_are_left_out_of_the_forecast():
    forecast = Forecast(TODAY - timedelta(days=2), [99.0, 99.0, 1.0, 1.0], [0.0])

    assert decide(StockPosition(D(9)), OrderPolicy(lead_time_days=2), forecast).expected_demand == 2


def test_a_forecast_that_ended_is_refused():
    forecast = Forecast(TODAY - timedelta(days=2), [1.0, 1.0], [0.0])

    with pytest.raises(ValueError, match="ends before"):
        decide(StockPosition(D(9)), OrderPolicy(lead_time_days=2), forecast)


@pytest.mark.parametrize(("daily", "variance"), [([], [1.0]), ([1.0], []), ([-1.0], [1.0])])
def test_an_impossible_forecast_is_refused(daily, variance):
    with pytest.raises(ValueError, match="none of them negative"):
        Forecast(TODAY, daily, variance)


@pytest.mark.parametrize(
    "changed",
    [
        {"lead_time_days": -1},
        {"service_level": 0.4},
        {"service_level": 1.0},
        {"pack_size": D(0)},
        {"minimum_order": D(-1)},
        {"unit_step": D(0)},
        {"cover_days": 0},
        {"shelf_life_days": 0},
    ],
)
def test_an_impossible_policy_is_refused(changed):
    with pytest.raises(ValueError, match="must be"):
        OrderPolicy(**({"lead_time_days": 5} | changed))


@pytest.mark.parametrize(
    ("on_hand", "code"),
    [
        (0, ReasonCode.OUT_OF_STOCK),
        (30, ReasonCode.STOCK_OUT_BEFORE_DELIVERY),
        (50, ReasonCode.BELOW_REORDER_POINT),
        (100, ReasonCode.REORDER_LATER),
        (9999, ReasonCode.ENOUGH_STOCK),
    ],
)
def test_reason_follows_the_stock(on_hand, code):
    assert reason_of(StockPosition(D(on_hand)), OrderPolicy(lead_time_days=5)).code is code


def test_an_item_nobody_wants_is_not_ordered():
    reason = reason_of(
        StockPosition(D(0)), OrderPolicy(lead_time_days=5), steady(0.0, variance=3.0)
    )

    plan = decide(StockPosition(D(0)), OrderPolicy(lead_time_days=5), steady(0.0, variance=3.0))
    assert plan.order_by is None
    assert reason.code is ReasonCode.NO_DEMAND_EXPECTED
    assert reason.parameters["order_quantity"] == 0


def test_a_rare_item_is_not_stocked_against_one_sale_in_a_thousand_days():
    plan = decide(StockPosition(D(1)), OrderPolicy(lead_time_days=5), steady(0.001, variance=0.001))

    assert plan.reorder_point == 0
    assert plan.order_quantity == 0


def test_a_rare_item_is_bought_by_the_unit():
    forecast, policy = steady(0.001, variance=0.001), OrderPolicy(lead_time_days=5)

    assert decide(StockPosition(D(0)), policy, forecast).order_quantity == 1
    assert reason_of(StockPosition(D(0)), policy, forecast).code is ReasonCode.OUT_OF_STOCK


def test_backorders_of_an_item_nobody_wants_are_ordered():
    position = StockPosition(D(0), reserved=D(3))

    assert decide(position, OrderPolicy(lead_time_days=5), steady(0.0)).order_quantity == 3


def test_reason_names_the_values_of_its_sentence():
    reason = reason_of(StockPosition(D(30), reserved=D(5)), OrderPolicy(lead_time_days=5))

    assert reason.parameters == {
        "available": D(25),
        "on_order": D(0),
        "expected_demand": D(50),
        "safety_stock": D(0),
        "reorder_point": D(50),
        "order_quantity": D(165),
        "lead_time_days": 5,
        "order_by": TODAY,
        "stock_out_on": TODAY + timedelta(days=2),
    }


@settings(deadline=None, max_examples=50)
@given(
    needed=st.decimals(0, 10**6, places=4),
    minimum=st.decimals(0, 10**4, places=4),
    pack=st.decimals("0.0001", 10**4, places=4),
)
def test_order_is_whole_packs_and_never_below_need_or_minimum(needed, minimum, pack):
    assume(needed > 0)
    policy = OrderPolicy(lead_time_days=1, minimum_order=minimum, pack_size=pack)

    ordered = order_quantity(needed, policy)

    assert ordered % pack == 0
    assert max(needed, minimum) <= ordered < max(needed, minimum) + pack


@settings(deadline=None, max_examples=50)
@given(
    daily=st.lists(st.integers(0, 100), min_size=7, max_size=7),
    deviation=st.floats(0, 50) | st.floats(50, 1e6),
    on_hand=st.integers(0, 3000),
    policy=st.builds(
        OrderPolicy,
        lead_time_days=st.integers(0, 40),
        service_level=st.floats(0.5, 0.999),
        pack_size=st.sampled_from([D(1), D(6), D(25)]),
    ),
)
def test_recommendation_is_consistent(daily, deviation, on_hand, policy):
    assume(sum(daily) > 0)
    variance = list(accumulate([deviation**2] * 7))
    position = StockPosition(D(on_hand))

    plan = decide(position, policy, Forecast(TODAY, daily, variance))

    assert plan.reorder_point >= plan.expected_demand
    assert (plan.order_quantity > 0) == (plan.order_by == TODAY)
    if plan.order_quantity:
        assert D(on_hand) <= plan.reorder_point
        assert on_hand + plan.order_quantity >= plan.order_up_to
    assert plan.safety_stock == max(plan.reorder_point - plan.expected_demand, 0)
