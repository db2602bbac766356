from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.catalogue import Product, articles
from demo.sales import SalesSeries
from demo.supply import (
    AWAY_DAYS,
    Kind,
    in_packs,
    in_time_order,
    last_reorder_point,
    reorder_point,
    replay,
    unit_cost,
)

FIRST_DAY = date(2025, 1, 1)

products = st.builds(
    Product,
    code=st.sampled_from(["A", "B", "C"]),
    name_en=st.just("Fan"),
    name_fr=st.just("Éventail"),
    category=st.just("Party"),
    pack_size=st.integers(1, 50),
    pack_unit=st.just("box"),
    lead_time_days=st.integers(1, 10),
    unit_cost=st.decimals(Decimal("0.1"), 20, places=2),
    price=st.just(Decimal(30)),
)
sales = st.lists(
    st.one_of(st.just(0), st.integers(0, 5), st.integers(0, 3000)), min_size=40, max_size=100
).map(lambda sold: SalesSeries("A", "Fan", None, FIRST_DAY, tuple(sold)))


def stocks(movements):
    """The stock at both places after each movement, by a ledger of its own."""
    back = shelf = 0
    for movement in movements:
        match movement.kind:
            case Kind.RECEIPT:
                back += movement.quantity
            case Kind.TRANSFER:
                back, shelf = back - movement.quantity, shelf + movement.quantity
            case Kind.ISSUE:
                shelf -= movement.quantity
            case Kind.COUNT:
                shelf = movement.quantity
        yield movement, back, shelf


@given(products, sales, st.integers(0, 100))
def test_stock_is_never_below_zero_and_no_day_ends_empty(product, sold, number):
    at_end_of_day = {}
    for movement, back, shelf in stocks(replay(product, sold, number)):
        assert back >= 0
        assert shelf >= 0
        at_end_of_day[movement.at.date()] = back + shelf

    assert all(left > 0 for left in at_end_of_day.values())


@given(products, sales, st.integers(0, 100))
def test_every_sale_is_issued_on_its_day(product, sold, number):
    issued = defaultdict(int)
    for movement in replay(product, sold, number):
        if movement.kind is Kind.ISSUE:
            issued[movement.at.date()] += movement.quantity

    assert issued == {day: quantity for day, quantity in sold.days() if quantity}


@given(products, sales, st.integers(0, 100))
def test_what_came_in_went_out_or_is_there(product, sold, number):
    movements = replay(product, sold, number)
    before = 0
    corrected = 0
    for movement, back, shelf in stocks(movements):
        if movement.kind is Kind.COUNT:
            corrected += back + shelf - before
            assert abs(back + shelf - before) <= 3
        before = back + shelf

    received = sum(m.quantity for m in movements if m.kind is Kind.RECEIPT)
    assert received - sum(sold.quantities) + corrected == before


@given(products, sales, st.integers(0, 100))
def test_receipts_are_whole_packs_with_a_cost_and_all_else_has_none(product, sold, number):
    for movement in replay(product, sold, number):
        assert (movement.unit_cost is not None) == (movement.kind is Kind.RECEIPT)
        if movement.kind is Kind.RECEIPT:
            assert movement.quantity % product.pack_size == 0
            assert movement.unit_cost > 0


@given(products, sales, st.integers(0, 100))
def test_movements_are_in_time_order_and_nothing_is_ordered_while_the_buyer_is_away(
    product, sold, number
):
    movements = replay(product, sold, number)

    assert [m.at for m in movements] == sorted(m.at for m in movements)
    ordered = [m.at.date() for m in movements if m.reference.startswith("ORDER")]
    left = sold.last_day - timedelta(days=AWAY_DAYS)
    assert all(day <= left + timedelta(days=product.lead_time_days) for day in ordered)


def test_the_real_sales_are_replayed_mostly_from_ordinary_orders():
    replays = [
        replay(article.product, article.sales, number)
        for number, article in enumerate(articles(date(2026, 3, 12)))
    ]

    movements = in_time_order(replays)
    receipts = [m for m in movements if m.kind is Kind.RECEIPT]
    express = [m for m in receipts if m.reference.startswith("EXPRESS")]
    assert len(movements) > 20_000
    assert {m.kind for m in movements} == set(Kind)
    assert 0 < len(express) < len(receipts) / 4  # Mostly for promotions, which he did not foresee.


@pytest.mark.parametrize(("quantity", "packed"), [(1, 12), (12, 12), (13, 24)])
def test_packs_are_whole(quantity, packed):
    product = articles(date(2026, 3, 12))[1].product

    assert product.pack_size == 12
    assert in_packs(quantity, product) == packed


def test_reorder_point_covers_the_lead_time_and_its_noise():
    assert reorder_point([4] * 56, lead_time_days=3) == (12, 4)
    assert reorder_point([0, 8] * 28, lead_time_days=4) == (30, 4)  # 16 + 1.64 x 4 x 2


def test_the_buyers_last_reorder_point_knows_nothing_of_his_absence():
    product = articles(date(2026, 3, 12))[0].product
    quiet = SalesSeries("A", "Fan", None, FIRST_DAY, (4,) * 90)
    busy = SalesSeries("A", "Fan", None, FIRST_DAY, (4,) * 80 + (99,) * 10)

    assert last_reorder_point(product, quiet) == last_reorder_point(product, busy)


def test_cost_drifts_a_little_around_the_list_cost():
    product = articles(date(2026, 3, 12))[0].product

    costs = [unit_cost(product, FIRST_DAY + timedelta(days=day)) for day in range(0, 1461, 30)]

    assert len(set(costs)) > 10
    assert all(abs(cost / product.unit_cost - 1) < Decimal("0.08") for cost in costs)
