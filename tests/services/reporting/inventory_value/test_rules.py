from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.inventory_value.rules import (
    Position,
    Valued,
    after_first_cost,
    after_movement,
    apportioned,
    by_category,
    by_location,
    may_see_values,
    rounded_money,
    rounded_together,
)
from shared.ids import new_id

D = Decimal
UNIT = D("0.0001")
quantities = st.integers(1, 10**14).map(lambda units: units * UNIT)
costs = st.integers(0, 10**12).map(lambda micros: micros * D("0.000001"))
maybe_costs = st.none() | costs
ins = st.tuples(
    st.sampled_from(["receipt", "return", "adjustment", "count_correction"]), quantities
)
outs = st.tuples(
    st.sampled_from(["issue", "receipt", "return", "write_off", "adjustment", "count_correction"]),
    quantities.map(lambda q: -q),
)
movements = st.lists(st.tuples(ins | outs, maybe_costs), max_size=40)


def run(steps, position=None):
    position = position or Position()
    for (kind, quantity), cost in steps:
        position = after_movement(position, kind, quantity, cost)
    return position


def receipt(quantity, cost):
    return ("receipt", D(quantity)), None if cost is None else D(cost)


def issue(quantity):
    return ("issue", -D(quantity)), None


def test_receipts_average_by_quantity_and_issues_take_at_the_average():
    position = run([receipt(10, "2"), receipt(30, "4"), issue(10)])

    assert position.held == 30
    assert position.value == 105
    assert position.unit_cost == D("3.5")


def test_issuing_everything_leaves_no_value_and_keeps_the_last_average():
    position = run([receipt(3, "0.333333"), receipt(7, "1"), issue(10)])

    assert (position.held, position.value) == (0, 0)
    assert position.unit_cost == D("0.7999999")


def test_found_stock_comes_in_at_the_average_whatever_cost_it_names():
    position = run([receipt(10, "2"), (("count_correction", D(5)), D(99))])

    assert (position.held, position.value) == (15, 30)


def test_returns_come_and_go_at_the_average_and_so_do_write_offs():
    position = run([receipt(10, "2"), receipt(10, "4"), (("return", D(2)), D(99))])
    assert (position.held, position.value) == (22, 66)

    position = run([(("write_off", D(-4)), None), (("return", D(-8)), None)], position)
    assert (position.held, position.value) == (10, 30)


def test_a_receipt_is_taken_back_at_its_own_cost():
    position = run([receipt(10, "2"), receipt(10, "4"), (("receipt", D(-10)), D(4))])

    assert (position.held, position.value, position.unit_cost) == (10, 20, 2)


def test_of_a_receipt_that_was_consumed_at_another_cost_no_value_falls_below_nothing():
    position = run([receipt(10, "1"), receipt(10, "9"), issue(9), (("receipt", D(-10)), D(9))])

    assert (position.held, position.value, position.unit_cost) == (1, 0, 0)


def test_taking_back_all_that_is_held_leaves_nothing_and_more_waits():
    whole = run([receipt(10, "3"), (("receipt", D(-10)), D(3))])
    early = run([(("receipt", D(-10)), D(3)), receipt(10, "3"), receipt(10, "5")])

    assert (whole.held, whole.value, whole.unit_cost) == (0, 0, 3)
    assert (early.on_hand, early.value) == (10, 50)


def test_found_stock_comes_in_at_its_items_cost_when_nothing_is_held():
    position = run([receipt(10, "2"), issue(10), (("adjustment", D(4)), D(3))])

    assert (position.held, position.value) == (4, 12)


def test_found_stock_without_a_cost_comes_in_at_the_last_average():
    position = run([receipt(10, "2"), issue(10), (("adjustment", D(4)), None)])

    assert position.value == 8


def test_a_receipt_without_a_cost_comes_in_at_the_average():
    assert run([receipt(10, "2"), receipt(5, None)]).value == 30


@pytest.mark.parametrize("kind", ["transfer"])
@pytest.mark.parametrize("quantity", [D(5), D(-5)])
def test_a_transfer_changes_nothing(kind, quantity):
    position = run([receipt(10, "2")])

    assert after_movement(position, kind, quantity, D(9)) == position


def test_stock_without_any_cost_has_no_value_until_one_is_known():
    unpriced = run([receipt(10, None), issue(4)])

    assert (unpriced.value, unpriced.unit_cost) == (0, None)
    assert after_first_cost(unpriced, D("1.5")).value == 9


def test_the_first_cost_that_a_receipt_brings_values_what_lay_there_before():
    assert run([receipt(10, None), receipt(10, "2")]).value == 40


def test_a_later_cost_of_the_item_does_not_revalue_stock():
    position = run([receipt(10, "2")])

    assert after_first_cost(position, D(5)) == position


def test_a_cost_of_an_item_without_stock_changes_nothing():
    assert after_first_cost(Position(), D(5)) == Position()


def test_an_issue_seen_before_its_receipt_takes_at_the_average_after_it():
    in_order = run([receipt(5, "1"), receipt(10, "4"), issue(10)])
    swapped = run([receipt(5, "1"), issue(10), receipt(10, "4")])

    assert swapped == in_order
    assert swapped.value == 15


def test_while_units_are_owed_the_stock_is_below_zero_and_the_rest_waits():
    position = run([receipt(5, "1"), issue(10), issue(1)])

    assert position.on_hand == -6
    assert (position.held, position.owed, position.value) == (5, 11, 5)


def test_a_receipt_too_small_for_what_is_owed_waits_too():
    position = run([issue(10), receipt(4, "2"), receipt(8, "2")])

    assert (position.on_hand, position.value) == (2, 4)


def test_what_is_owed_exactly_leaves_nothing():
    position = run([issue(10), receipt(10, "2")])

    assert (position.on_hand, position.value, position.owed) == (0, 0, 0)


@given(movements)
def test_quantity_is_the_sum_of_movements_and_nothing_is_ever_negative(steps):
    position = run(steps)

    assert position.on_hand == sum((quantity for (_, quantity), _ in steps), D(0))
    assert position.held >= 0
    assert position.value >= 0
    assert position.owed == 0 or position.owed > position.held


@given(movements)
def test_no_stock_means_no_value_to_the_last_digit(steps):
    position = run(steps)
    emptied = after_movement(position, "issue", -position.on_hand, None)

    if position.on_hand >= 0:
        assert (emptied.held, emptied.owed, emptied.value) == (0, 0, 0)


@given(movements)
def test_value_and_average_agree(steps):
    position = run(steps)

    if position.held and position.unit_cost is not None:
        exact = Fraction(position.held) * Fraction(position.unit_cost)
        slack = Fraction(position.held) * Fraction(1, 10**10) * (len(steps) + 1) + Fraction(
            len(steps) + 1, 10**4
        )
        assert abs(Fraction(position.value) - exact) <= slack


@given(movements)
def test_value_never_drifts_from_exact_fractions(steps):
    """The same rules over fractions; every step may round by half of the last place, no more."""
    position = Position()
    held = value = Fraction(0)
    owed = Fraction(0)
    unit = None
    amplified = Fraction(0)
    for (kind, quantity), cost in steps:
        change = Fraction(quantity)
        own = None if cost is None else Fraction(cost)
        if change > 0:
            at_average = held and unit is not None and (kind != "receipt" or own is None)
            if at_average:
                amplified = amplified * (held + change) / held + Fraction(1, 10**10)
                value += value * change / held
            else:
                own = unit if own is None else own
                if own is not None:
                    value = (held + change) * own if unit is None else value + change * own
                    amplified += change / 10**10 + Fraction(1, 10**10)
                    unit = value / (held + change)
            held += change
        elif kind == "receipt" and None not in {own, unit} and not owed and held > -change:
            held += change
            value = max(value + change * own, Fraction(0))
            amplified += Fraction(1, 10**10)
            unit = value / held
        else:
            owed -= change
        if owed and owed <= held:
            value -= value * owed / held
            amplified += Fraction(1, 10**10)
            held -= owed
            owed = Fraction(0)
            amplified = amplified if held else Fraction(0)
        position = after_movement(position, kind, quantity, cost)

        assert Fraction(position.held) == held
        assert Fraction(position.owed) == owed
        assert abs(Fraction(position.value) - value) <= amplified * (len(steps) + 1)


@given(movements, st.integers(0, 40))
def test_the_result_does_not_depend_on_where_pages_end(steps, cut):
    assert run(steps[cut:], run(steps[:cut])) == run(steps)


weights = st.dictionaries(st.text(max_size=3), st.integers(-5, 10**9).map(D), max_size=8)


@given(st.integers(0, 10**12), weights, st.sampled_from([0, 2, 3]))
def test_shares_add_up_and_none_is_off_by_a_coin(coins, weight_of, digits):
    amount = D(coins).scaleb(-digits)
    parts = apportioned(amount, weight_of, digits)
    total = sum(max(Fraction(w), 0) for w in weight_of.values())

    assert parts.keys() == weight_of.keys()
    if total:
        assert sum(parts.values()) == amount
        for key, part in parts.items():
            share = Fraction(amount) * max(Fraction(weight_of[key]), 0) / total
            assert abs(Fraction(part) - share) < Fraction(1, 10**digits)


def test_the_coin_left_over_goes_to_the_largest_remainder():
    assert apportioned(D("1.00"), {"a": D(1), "b": D(1), "c": D(1)}, 2) == {
        "a": D("0.34"),
        "b": D("0.33"),
        "c": D("0.33"),
    }


@given(st.dictionaries(st.text(max_size=3), costs, max_size=8), st.sampled_from([0, 2, 3]))
def test_values_in_coins_add_up_to_their_exact_sum_rounded_once(values, digits):
    parts = rounded_together(values, digits)

    assert sum(parts.values()) == rounded_money(sum(values.values()), digits)
    assert all(abs(parts[key] - value) < D(1).scaleb(-digits) for key, value in values.items())


@pytest.mark.parametrize(
    ("value", "digits", "money"),
    [("2.345", 2, "2.34"), ("2.3550000001", 2, "2.36"), ("7.5", 0, "8"), ("1.23456", 3, "1.235")],
)
def test_money_is_rounded_to_the_smallest_coin_half_to_even(value, digits, money):
    assert rounded_money(D(value), digits) == D(money)


@pytest.mark.parametrize(
    ("scopes", "may"),
    [
        ({"report:read", "price:write"}, True),
        ({"report:read", "audit:read"}, True),
        ({"report:read", "inventory:read"}, False),
        ({"price:approve"}, False),
    ],
)
def test_values_are_for_those_who_set_costs_and_for_auditors(scopes, may):
    assert may_see_values(scopes) is may


def valued(code, category, quantity, value):
    return Valued(new_id(), code, code, category, "each", D(quantity), None, D(value))


def test_categories_sum_up_and_items_without_one_come_first():
    items = [valued("a", "Dry", 1, 5), valued("b", None, 2, 7), valued("c", "Dry", 3, 6)]

    groups = by_category(items)

    assert [(g.key, g.items, g.quantity, g.value) for g in groups] == [
        ("", 1, 2, 7),
        ("Dry", 2, 4, 11),
    ]


def test_locations_share_an_items_value_by_what_lies_there():
    pasta, vase = valued("a", None, 3, "10.00"), valued("b", None, 1, "4.00")
    levels = {pasta.item_id: {"Main": D(2), "Shop": D(1)}, vase.item_id: {"Shop": D(1)}}

    groups = by_location([pasta, vase], levels, 2)

    assert [(g.key, g.items, g.value) for g in groups] == [
        ("Main", 1, D("6.67")),
        ("Shop", 2, D("7.33")),
    ]


def test_what_is_left_goes_to_the_largest_remainders():
    thirds = apportioned(D("1.00"), {"a": D(1), "b": D(1), "c": D(1)}, 2)
    uneven = apportioned(D("0.03"), {"a": D(6), "b": D(1), "c": D(1)}, 2)

    assert thirds == {"a": D("0.34"), "b": D("0.33"), "c": D("0.33")}
    assert uneven == {"a": D("0.02"), "b": D("0.01"), "c": D("0.00")}
    assert apportioned(D("1.00"), {"a": D(0)}, 2) == {"a": D(0)}
