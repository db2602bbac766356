"""What may be promised: by hand, and for whatever lies there and comes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.planning.rules import (
    Step,
    Supply,
    Wish,
    daily_use_of,
    end_of,
    is_short,
    outlook_of,
    steps_of,
    suggested_quantity,
)

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


def later(hours):
    return NOW + timedelta(hours=hours)


def number(value):
    return Decimal(value)


def test_a_receipt_is_promised_from_its_time_on():
    supplies = [Supply(number(5), NOW), Supply(number(10), later(24)), Supply(number(2), later(48))]

    assert steps_of(supplies, NOW, None) == [
        Step(NOW, number(0), number(0), number(5)),
        Step(later(24), number(10), number(0), number(15)),
        Step(later(48), number(2), number(0), number(17)),
    ]
    assert len(steps_of(supplies, NOW, later(24))) == 2


def test_a_lot_is_promised_through_its_last_day():
    supplies = [
        Supply(number(5), NOW, end_of(date(2026, 3, 11))), Supply(number(3), NOW, None),
        Supply(number(9), NOW, end_of(date(2026, 3, 9))),  # Expired by now.
        Supply(number(7), later(72), end_of(date(2026, 3, 12))),  # Expired when it comes.
    ]  # fmt: skip

    assert steps_of(supplies, NOW, None) == [
        Step(NOW, number(0), number(0), number(8)),
        Step(datetime(2026, 3, 12, tzinfo=UTC), number(0), number(5), number(3)),
    ]


def test_nothing_is_a_step_of_nothing():
    assert steps_of([], NOW, None) == [Step(NOW, number(0), number(0), number(0))]


hours = st.integers(min_value=-48, max_value=48)
supplies_of_all_kinds = st.lists(
    st.builds(
        Supply,
        st.decimals(min_value=0, max_value=1000, places=2),
        hours.map(later),
        st.none() | hours.map(later),
    ),
    max_size=12,
)


@given(supplies_of_all_kinds, hours.map(later))
def test_at_every_instant_as_much_is_promised_as_is_usable_then(supplies, at):
    steps = steps_of(supplies, NOW, None)

    in_force = [step for step in steps if step.at <= at]
    usable = [
        each.quantity for each in supplies
        if each.begins <= at and (each.ends is None or each.ends > max(at, each.begins))
    ]  # fmt: skip
    if at >= NOW:
        assert in_force[-1].available_to_promise == sum(usable, number(0))
    assert [step.at for step in steps] == sorted({step.at for step in steps})
    assert steps[0].at == NOW


@given(supplies_of_all_kinds)
def test_each_step_follows_from_the_one_before(supplies):
    steps = steps_of(supplies, NOW, None)

    for before, step in pairwise(steps):
        left = before.available_to_promise + step.received - step.expired
        assert step.available_to_promise == left >= 0


@given(supplies_of_all_kinds, hours.map(later))
def test_an_earlier_end_leaves_out_later_steps_and_nothing_else(supplies, until):
    whole = steps_of(supplies, NOW, None)

    assert steps_of(supplies, NOW, until) == [whole[0], *(s for s in whole[1:] if s.at <= until)]


@given(supplies_of_all_kinds)
def test_what_never_expires_never_becomes_less(supplies):
    steps = steps_of([each._replace(ends=None) for each in supplies], NOW, None)

    figures = [step.available_to_promise for step in steps]
    assert figures == sorted(figures)


def wish(point=None, par=None, quantity=None, maximum=None, pack=1):
    values = [None if value is None else number(value) for value in (par, point, quantity, maximum)]
    return Wish(*values, number(pack))


def test_stock_lasts_as_it_was_used_and_longer_with_what_comes_in_time():
    receipts = [(later(24 * 6), number(4)), (later(24 * 3), number(2)), (later(24 * 9), number(50))]

    alone = outlook_of(number(10), number(2), [], NOW)
    helped = outlook_of(number(10), number(2), receipts, NOW)

    assert (alone.days_of_stock, alone.stock_out_at) == (number(5), later(24 * 5))
    assert (helped.days_of_stock, helped.expected_before) == (number(5), number(6))
    assert helped.stock_out_at == later(24 * 8)


def test_what_is_not_used_does_not_run_out_and_what_lasts_for_ages_has_no_day():
    assert outlook_of(number(10), number(0), [(later(1), number(4))], NOW)[:2] == (None, None)
    assert outlook_of(number(10), number("0.0001"), [], NOW).stock_out_at is None
    assert outlook_of(number(0), number(2), [], NOW).stock_out_at == NOW


def test_it_is_short_if_it_runs_out_before_an_order_arrives():
    outlook = outlook_of(number(10), number(2), [], NOW)

    assert [is_short(outlook, days, NOW) for days in (None, 4, 5, 6)] == [None, False, False, True]
    assert is_short(outlook_of(number(0), number(0), [], NOW), 9, NOW) is False


@pytest.mark.parametrize(
    ("position", "wished", "expected"),
    [
        (5, wish(point=5), 1), (6, wish(point=5), 0), (5, wish(point=5, par=9), 4),
        (8, wish(point=5, par=9), 1), (9, wish(point=5, par=9), 0),
        (5, wish(point=5, maximum=20), 15), (5, wish(point=5, quantity=30, maximum=20), 30),
        (5, wish(point=5, maximum=20, pack=12), 24), (3, wish(par=5, pack="0.5"), 2),
        (5, wish(point=5, quantity=7, pack=6), 12),
    ],
)  # fmt: skip
def test_whole_packs_are_ordered_up_to_what_is_wished(position, wished, expected):
    assert suggested_quantity(number(position), wished) == number(expected)


amounts = st.decimals(min_value=0, max_value=10_000, places=2)
above_zero = st.decimals(min_value="0.01", max_value=500, places=2)


@given(amounts, above_zero, st.lists(st.tuples(st.integers(1, 900).map(later), amounts)))
def test_nothing_is_counted_that_comes_after_it_ran_out(available, daily_use, receipts):
    outlook = outlook_of(available, daily_use, receipts, NOW)

    counted = number(0)
    for at, quantity in sorted(receipts):
        days = min(float((available + counted) / daily_use), 100_000.0)  # Else no date has it.
        lasts_until = NOW + timedelta(days=days)
        if at > lasts_until + timedelta(seconds=1):
            break
        if at > lasts_until - timedelta(seconds=1):
            return  # Within what a float tells apart.
        counted += quantity
    assert outlook.expected_before == counted


@given(amounts, st.none() | amounts, st.none() | amounts, st.none() | amounts, above_zero)
def test_what_is_ordered_is_whole_packs_and_enough(position, point, par, maximum, pack):
    wished = Wish(par, point, None, maximum, pack)

    ordered = suggested_quantity(position, wished)

    assert ordered % pack == 0
    if ordered:
        target = maximum if maximum is not None else max(point or 0, par or 0)
        assert position + ordered >= target
        assert position + ordered - pack < target or ordered == pack


@pytest.mark.parametrize(
    ("used", "hours", "use_days", "daily"),
    [(28, 2400, 28, 1), (28, 336, 28, 2), (28, 1, 28, 28), (28, 36, 1, 28), (-3, 336, 28, 0)],
)
def test_use_is_divided_by_the_days_since_it_first_moved(used, hours, use_days, daily):
    assert daily_use_of(Decimal(used), timedelta(hours=hours), use_days) == daily
