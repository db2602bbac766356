"""A kit is made or taken apart: what its parts cost is carried, and nothing is won or lost."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.inventory_value.rules import (
    AssemblyPart,
    Position,
    after_assembly,
    after_movement,
)
from shared.ids import new_id

D = Decimal
KIT, NUT, BOLT, OUTER = (new_id() for _ in range(4))
RECIPES = {KIT: {NUT: D(2), BOLT: D("0.7")}, OUTER: {KIT: D(3), NUT: D(1)}}
items = st.sampled_from([KIT, NUT, BOLT, OUTER])
quantities = st.integers(1, 10**10).map(lambda units: units * D("0.0001"))
maybe_costs = st.none() | st.integers(0, 10**10).map(lambda micros: micros * D("0.000001"))
steps = st.lists(
    st.tuples(st.sampled_from(["receipt", "issue"]), items, quantities, maybe_costs)
    | st.tuples(st.sampled_from(["assemble", "apart"]), st.sampled_from([KIT, OUTER]),
                st.integers(1, 99).map(D), maybe_costs),
    max_size=30,
)  # fmt: skip


def held(quantity, unit_cost):
    if unit_cost is None:
        return Position(D(quantity))
    return Position(D(quantity), value=D(quantity) * D(unit_cost), unit_cost=D(unit_cost))


def part(position, quantity, cost=None):
    return AssemblyPart(position, D(quantity), None if cost is None else D(cost))


def total(positions):
    return sum((position.value for position in positions.values()), D(0))


def parts_of(positions, kit, kits, cost):
    """Return the parts of an assembly as the journal gives them, the kit last; None if short."""
    changes = {item: -kits * each for item, each in RECIPES[kit].items()} | {kit: kits}
    there = {item: positions.get(item, Position()) for item in changes}
    if any(there[item].on_hand + change < 0 for item, change in changes.items()):
        return None
    return {item: AssemblyPart(there[item], change, cost) for item, change in changes.items()}


@given(steps)
def test_no_assembly_changes_what_all_stock_is_worth(history):
    positions = {}
    for act, item, quantity, cost in history:
        if act in {"assemble", "apart"}:
            kits = quantity if act == "assemble" else -quantity
            parts = parts_of(positions, item, kits, cost)
            if parts is not None:
                after = positions | after_assembly(parts)
                assert total(after) == total(positions)
                assert all(each.value >= 0 for each in after.values())
                assert all(each.held or not each.value for each in after.values())
                positions = after
            continue
        before = positions.get(item, Position())
        if act == "receipt" or before.on_hand >= quantity:
            change = quantity if act == "receipt" else -quantity
            positions[item] = after_movement(before, act, change, cost)


@given(maybe_costs, maybe_costs, st.permutations([KIT, NUT, BOLT]), st.sampled_from([1, -1]))
def test_in_which_order_entries_come_makes_no_difference_to_the_sum(nut, bolt, order, sign):
    there = {KIT: held(5, "7.77"), NUT: held(50, nut), BOLT: held(50, bolt)}
    changes = {KIT: D(3), NUT: D(-7), BOLT: D(-9)}
    parts = {item: part(there[item], sign * changes[item]) for item in order}

    assert total(after_assembly(parts)) == total(there)


def test_a_kit_is_taken_in_at_what_its_parts_took_out_whatever_cost_it_names():
    parts = {
        NUT: part(held(10, "3"), -4, "9"),
        BOLT: part(held(10, "0.5"), -2, "9"),
        KIT: part(held(1, "1"), 2, "99"),
    }

    after = after_assembly(parts)

    assert [after[item].value for item in (NUT, BOLT, KIT)] == [18, 4, 14]
    assert after[KIT].unit_cost == D("4.6666666667")


def test_parts_share_what_the_kit_took_out_by_the_costs_they_name():
    parts = {NUT: part(Position(), 1, "1"), BOLT: part(held(1, "8"), 1, "2"),
             KIT: part(held(1, "10"), -1)}  # fmt: skip

    after = after_assembly(parts)

    assert (after[NUT].value, after[BOLT].value) == (D("3.3333333333"), D("14.6666666667"))
    assert (after[KIT].value, after[KIT].held) == (0, 0)


@pytest.mark.parametrize("cost", [None, "0"])
def test_parts_without_any_worth_of_their_own_share_by_their_quantities(cost):
    parts = {NUT: part(Position(), 3, cost), BOLT: part(Position(), 1, cost),
             KIT: part(held(1, "10"), -1)}  # fmt: skip

    after = after_assembly(parts)

    assert (after[NUT].value, after[BOLT].value) == (D("7.5"), D("2.5"))


def test_of_parts_whose_costs_are_not_all_known_those_that_are_share():
    parts = {NUT: part(Position(), 3, "1"), BOLT: part(Position(), 1),
             KIT: part(held(1, "10"), -1)}  # fmt: skip

    after = after_assembly(parts)

    assert (after[NUT].value, after[BOLT]) == (10, Position(D(1)))


def test_a_kit_of_what_has_no_known_cost_has_none_and_one_in_part_what_is_known():
    unknown = {NUT: part(held(3, None), -3), KIT: part(Position(), 1, "5")}
    in_part = {BOLT: part(held(3, None), -3), NUT: part(held(3, "2"), -3),
               KIT: part(Position(), 1)}  # fmt: skip

    assert after_assembly(unknown)[KIT] == Position(D(1))
    assert after_assembly(in_part)[KIT] == Position(D(1), value=D(6), unit_cost=D(6))


def test_kits_of_unknown_cost_among_others_count_nothing():
    parts = {NUT: part(held(3, None), -3), KIT: part(held(1, "6"), 1)}

    assert after_assembly(parts)[KIT] == Position(D(2), value=D(6), unit_cost=D(3))


def test_parts_seen_before_their_receipt_are_carried_at_the_average_known():
    parts = {NUT: part(held(3, "2"), -5), KIT: part(Position(), 1)}

    after = after_assembly(parts)

    assert (after[NUT].on_hand, after[KIT].value) == (-2, 10)


def test_kits_that_were_issued_before_they_were_seen_are_settled():
    owing = Position(owed=D(1))
    parts = {NUT: part(held(3, "2"), -3), KIT: part(owing, 2)}

    assert after_assembly(parts)[KIT] == Position(D(1), value=D(3), unit_cost=D(3))


def test_while_one_side_alone_was_seen_it_counts_as_far_as_it_goes():
    assert after_assembly({NUT: part(held(3, "2"), -1)})[NUT].value == 4
    assert after_assembly({NUT: part(held(3, "2"), 1)})[NUT].value == 6
