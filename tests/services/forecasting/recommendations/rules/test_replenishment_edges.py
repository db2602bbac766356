"""Orders and stock-outs to the day and the unit."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from services.forecasting.recommendations.rules.replenishment import (
    Forecast,
    OrderPolicy,
    StockPosition,
    explain,
    order_day,
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


@pytest.mark.parametrize(
    ("total", "reorder", "days"),
    [(20, 20, 0), (21, 20, 1), (29, 20, 1), (30, 20, 1), (31, 20, 2), (40, 20, 2), (19, 20, 0),
     (60, 20, None), (49, 20, 3)],
)  # fmt: skip
def test_the_order_is_due_on_the_day_that_the_position_is_at_the_reorder_point(
    total, reorder, days
):
    found = order_day([10.0] * 4, StockPosition(D(total)), D(reorder), today=TODAY)

    assert found == (None if days is None else TODAY + timedelta(days=days))


@pytest.mark.parametrize(("total", "due"), [(-1, True), (0, False), (5, False)])
def test_without_demand_an_order_is_due_for_backorders_alone(total, due):
    found = order_day([0.0] * 4, StockPosition(D(total)), D(0), today=TODAY)

    assert found == (TODAY if due else None)


@pytest.mark.parametrize(
    ("available", "days"),
    [(0, 0), (-3, 0), (9, 0), (10, 1), (19, 1), (20, 2), (29, 2), (30, 3), (39, 3), (40, None)],
)
def test_stock_is_out_on_the_day_whose_demand_it_does_not_meet(available, days):
    found = stock_out_day([10.0] * 4, StockPosition(D(available)), today=TODAY)

    assert found == (None if days is None else TODAY + timedelta(days=days))


def test_an_arrival_of_the_day_itself_counts_and_none_of_the_next():
    tomorrow = TODAY + timedelta(days=1)

    just = StockPosition(D(10), incoming=[(tomorrow, D(10))])
    late = StockPosition(D(10), incoming=[(tomorrow + timedelta(days=1), D(10))])

    assert stock_out_day([10.0] * 4, just, today=TODAY) == TODAY + timedelta(days=2)
    assert stock_out_day([10.0] * 4, late, today=TODAY) == tomorrow


@pytest.mark.parametrize(
    ("on_hand", "lead_time_days", "code"),
    [
        (-1, 5, ReasonCode.OUT_OF_STOCK),
        (0, 5, ReasonCode.OUT_OF_STOCK),
        (1, 5, ReasonCode.STOCK_OUT_BEFORE_DELIVERY),
        (40, 5, ReasonCode.STOCK_OUT_BEFORE_DELIVERY),  # It ends a day before the delivery,
        (50, 5, ReasonCode.BELOW_REORDER_POINT),  # and here on the very day.
        (51, 5, ReasonCode.REORDER_LATER),
    ],
)
def test_the_reason_changes_at_one_unit(on_hand, lead_time_days, code):
    policy = OrderPolicy(lead_time_days=lead_time_days)

    assert reason_of(StockPosition(D(on_hand)), policy).code is code


@pytest.mark.parametrize("incoming", [50, 51])
def test_what_is_available_is_told_from_what_is_on_order(incoming):
    later = TODAY + timedelta(days=1)
    policy = OrderPolicy(lead_time_days=5)

    at = reason_of(StockPosition(D(50), incoming=[(later, D(incoming))]), policy)
    above = reason_of(StockPosition(D(51), incoming=[(later, D(incoming))]), policy)

    assert at.code is ReasonCode.COVERED_BY_ORDERS
    assert above.code is ReasonCode.REORDER_LATER


@pytest.mark.parametrize(
    "policy",
    [
        OrderPolicy(lead_time_days=0, review_days=0, cover_days=1),
        OrderPolicy(lead_time_days=1, service_level=0.5, shelf_life_days=1),
        OrderPolicy(lead_time_days=1, service_level=0.9999, minimum_order=D(0)),
        OrderPolicy(lead_time_days=1, pack_size=D("0.0001"), unit_step=D("0.0001")),
    ],
)
def test_a_policy_at_its_bounds_is_possible(policy):
    assert policy.protection_days == max(policy.lead_time_days, 1)
    assert decide(StockPosition(D(0)), policy).order_quantity > 0


def test_half_a_unit_step_is_where_a_rare_sale_begins_to_be_stocked():
    policy = OrderPolicy(lead_time_days=1, service_level=0.5, cover_days=1)

    below = decide(StockPosition(D(5)), policy, steady(0.499))
    at = decide(StockPosition(D(5)), policy, steady(0.5))

    assert (below.reorder_point, at.reorder_point) == (D(0), D(1))
