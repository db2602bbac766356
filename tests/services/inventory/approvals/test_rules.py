"""What needs approval: by its value, by what was changed within a day, by units without a cost."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.approvals.rules import (
    ApprovalCause,
    ApprovalState,
    AskedLine,
    Load,
    Scales,
    buckets_of,
    find_untied,
    has_moved,
    has_outgrown,
    hash_content,
    is_weighed,
    state_of,
    value_of,
)
from services.inventory.ledger.rules import NO_LOT, Change, Kind, Reference, Reversed

A, B = UUID(int=1), UUID(int=2)
LIMIT = Decimal(1000)
NOW = datetime(2026, 3, 1, tzinfo=UTC)

quantities = st.decimals("-200", "200", places=1)
costs = st.one_of(st.none(), st.decimals("0", "50", places=2))
loads = st.lists(
    st.builds(Load, st.sampled_from([A, B]), quantities, costs, st.just(value=False)),
    max_size=6,
)


def load(quantity, cost="10", item=A):
    return Load(item, Decimal(quantity), None if cost is None else Decimal(cost))


def weigh(*given, limit=LIMIT, unknown=None, done=None):
    return Scales(limit, unknown, done or {}).weigh(given)


@pytest.mark.parametrize(("quantity", "cause"), [(-100, None), (100, None), ("-100.1", "value")])
def test_what_is_worth_more_than_the_limit_needs_approval_whichever_way_it_goes(quantity, cause):
    assert weigh(load(quantity)) == cause
    assert weigh(load(-Decimal(quantity))) == cause


def test_all_changes_of_a_call_count_together_gains_and_losses_alike():
    assert weigh(load(60), load(-40, item=B)) is None
    assert weigh(load(60), load(-41, item=B)) is ApprovalCause.VALUE


def test_what_a_person_changed_of_an_item_within_a_day_counts_with_it():
    assert weigh(load(-40), done={A: Decimal(-60)}) is None
    assert weigh(load(-41), done={A: Decimal(-60)}) is ApprovalCause.DAY
    assert weigh(load(-41), done={B: Decimal(-60)}) is None


def test_undoing_what_one_did_needs_no_approval_and_gives_no_more_room_than_before():
    scales = Scales(LIMIT, None)

    assert [scales.weigh([load(quantity)]) for quantity in (-90, 90, -90, -20)] == [
        None, None, None, ApprovalCause.DAY
    ]  # fmt: skip


def test_what_brings_the_day_nearer_to_nothing_is_never_too_much():
    """The limit was set lower meanwhile."""
    assert weigh(load(5), limit=Decimal(100), done={A: Decimal(-90)}) is None


def test_no_limit_is_none():
    assert weigh(load(-(10**9)), limit=None) is None


def test_a_limit_of_nothing_stops_whatever_is_worth_something():
    assert weigh(load("0.0001", "0.01"), limit=Decimal(0)) is ApprovalCause.VALUE
    assert weigh(load(0), limit=Decimal(0)) is None
    assert weigh(load(5, "0"), limit=Decimal(0)) is None


def test_units_without_a_cost_pass_unless_there_is_a_limit_of_their_own():
    assert weigh(load(-5000, None)) is None
    assert weigh(load(-10, None), unknown=Decimal(10)) is None
    assert weigh(load(-11, None), unknown=Decimal(10)) is ApprovalCause.UNKNOWN_COST
    assert weigh(load(-6, None), load(5, None), unknown=Decimal(10)) is ApprovalCause.UNKNOWN_COST
    day = weigh(load(-6, None), unknown=Decimal(10), done={A: Decimal(-5)})
    assert day is ApprovalCause.UNKNOWN_COST


def test_a_cost_that_cannot_be_read_needs_approval():
    unreadable = Load(A, Decimal(-1), None, is_unreadable=True)

    assert weigh(unreadable) is ApprovalCause.UNKNOWN_COST
    assert weigh(unreadable._replace(quantity=Decimal(0))) is None


@given(st.lists(loads, max_size=8), st.decimals("0", "2000", places=0))
def test_nobody_changes_more_of_an_item_alone_than_the_limit_however_he_splits_it(calls, limit):
    """At one unit cost for each item: the sum of all that passed is within the limit."""
    cost = {A: Decimal("3.5"), B: Decimal(12)}
    scales = Scales(limit, None)
    passed = {A: Decimal(0), B: Decimal(0)}
    for call in calls:
        asked = [each._replace(unit_cost=cost[each.item_id]) for each in call]
        if scales.weigh(asked) is None:
            for each in asked:
                passed[each.item_id] += each.quantity

        assert all(abs(passed[item]) * cost[item] <= limit for item in passed)
        assert {item: scales.granted[item] for item in passed} == passed


@given(loads, loads)
def test_more_is_never_lighter(some, more):
    scales, other = Scales(LIMIT, None), Scales(LIMIT, None)

    if scales.weigh(some) is ApprovalCause.VALUE:
        assert other.weigh([*some, *more]) is ApprovalCause.VALUE


@given(loads)
def test_a_value_is_the_sum_of_what_is_known(given_loads):
    known = [each for each in given_loads if each.unit_cost is not None]
    expected = sum(abs(each.quantity * each.unit_cost) for each in known) if known else None

    assert value_of(given_loads) == expected


def change(kind, reverses=None, quantity=1):
    place = Reference(A, None, "x")
    reversed_ = None if reverses is None else Reversed(A, reverses, NOW)
    return Change(B, kind, place, place, "user:x", "r", Decimal(quantity), reverses=reversed_)


def test_corrections_are_weighed_and_what_undoes_one():
    weighed = {Kind.WRITE_OFF, Kind.ADJUSTMENT, Kind.COUNT_CORRECTION}

    for kind in set(Kind) - {Kind.REVERSAL, Kind.RETURN, Kind.RECEIPT}:
        assert is_weighed(change(kind)) is (kind in weighed)
        assert is_weighed(change(Kind.REVERSAL, kind)) is (kind in weighed)


def test_returns_that_bring_stock_are_weighed_and_receipts_that_are_undone():
    assert is_weighed(change(Kind.RETURN))
    assert is_weighed(change(Kind.REVERSAL, Kind.RETURN, -1))
    assert not is_weighed(change(Kind.RETURN, quantity=-1))
    assert not is_weighed(change(Kind.REVERSAL, Kind.RETURN))
    assert not is_weighed(change(Kind.RECEIPT))
    assert is_weighed(change(Kind.REVERSAL, Kind.RECEIPT, -1))


def test_returns_are_tied_as_long_as_something_is_out_under_their_reference():
    returns = [(A, "R", Decimal(2)), (A, None, Decimal(1)), (A, "R", Decimal(2)),
               (B, "R", Decimal(1))]  # fmt: skip

    assert find_untied(returns, {(A, "R"): Decimal(3), (B, "R"): Decimal(1)}) == {1, 2}


def test_the_day_matters_to_what_is_worth_something_and_limited():
    def counts(cost, limit=None, unknown=None):
        return Scales(limit, unknown).counts(Load(A, Decimal(1), cost))

    assert counts(Decimal(1), LIMIT)
    assert not counts(Decimal(1))
    assert not counts(Decimal(0), LIMIT)
    assert not counts(None, LIMIT)
    assert counts(None, None, LIMIT)


def test_items_are_locked_by_their_buckets_in_order_each_once():
    assert buckets_of([UUID(int=65), UUID(int=3), UUID(int=1)]) == [1, 3]


def test_it_may_be_worth_a_tenth_more_and_what_is_unknown_is_not_compared():
    assert not has_outgrown(Decimal(1100), LIMIT)
    assert has_outgrown(Decimal("1100.01"), LIMIT)
    assert not has_outgrown(Decimal(1), LIMIT)
    assert not has_outgrown(None, LIMIT)
    assert not has_outgrown(LIMIT, None)


def test_time_alone_makes_an_open_one_expired():
    later = NOW + timedelta(days=7)

    assert state_of(ApprovalState.OPEN, later, later - timedelta(seconds=1)) is ApprovalState.OPEN
    assert state_of(ApprovalState.OPEN, later, later) is ApprovalState.EXPIRED
    assert state_of(ApprovalState.APPROVED, NOW, later) is ApprovalState.APPROVED


def line(quantity, number=0, lot=NO_LOT, item=A):
    return AskedLine(number, item, B, lot, Decimal(quantity))


def test_lots_may_differ_and_quantities_may_not():
    asked = [line(-5, lot=A), line(-5, lot=B)]

    assert not has_moved(asked, [line(-10, lot=B)])
    assert has_moved(asked, [line(-9, lot=B)])
    assert has_moved(asked, [line(-10, lot=B, item=B)])
    assert has_moved(asked, [line(-10), line(1, number=1)])


def test_the_hash_tells_any_change_of_what_is_asked_and_nothing_else():
    content = {"changes": [{"id": "1", "reason": None}]}
    found = hash_content("movements", content, [line("-5.0"), line(1, 1)])

    assert found == hash_content("movements", content, [line(1, 1), line("-5.0000")])
    others = [
        hash_content("reversal", content, [line(-5), line(1, 1)]),
        hash_content("movements", {"changes": []}, [line(-5), line(1, 1)]),
        hash_content("movements", content, [line(-6), line(1, 1)]),
        hash_content("movements", content, [line(-5)]),
    ]
    assert found not in others
