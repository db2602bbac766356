"""What may be promised: by hand, and for whatever lies there and comes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.inventory.planning.rules import Step, Supply, end_of, steps_of

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
