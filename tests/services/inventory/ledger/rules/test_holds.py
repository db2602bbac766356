"""What is held together is held whole or not at all, and leaves no trace where it is not."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.inventory.ledger.rules import NO_LOT, Lots, Refusal, judge_hold
from tests.support.ledger import LEVELS, MAIN, NOW, SPOTS, History, ago, change

UNTIL = NOW + timedelta(hours=1)


@st.composite
def wishes(draw):
    """What some want to hold one after the other, each of one or more levels."""
    places = st.tuples(st.sampled_from("AB"), st.sampled_from(["MAIN", "SHOP"]))
    lines = st.lists(st.tuples(places, st.integers(1, 7)), min_size=1, max_size=4)
    return [
        [
            change(-quantity, item, place, holds_until=UNTIL + timedelta(minutes=n))
            for (item, place), quantity in each
        ]
        for n, each in enumerate(draw(st.lists(lines, min_size=1, max_size=6)))
    ]


def held(balances):
    return {level: balance.held for level, balance in balances.items()}


def judged(wish, balances, **more):
    return judge_hold(wish, SPOTS, balances, NOW, Lots(), **more)


@given(wishes(), st.lists(st.integers(0, 9), min_size=4, max_size=4))
def test_each_is_held_whole_or_leaves_everything_as_it_was(asked, there):
    rows = [(level, ago(1), Decimal(n)) for level, n in zip(LEVELS, there, strict=True)]
    balances = History(rows).balances()
    for wish in asked:
        before, wanted = held(balances), dict.fromkeys(LEVELS, Decimal(0))
        for one in wish:
            spot = SPOTS[one.item, one.place]
            wanted[spot.item_id, spot.place_id, NO_LOT] -= one.quantity
        fits = all(balances[level].available >= wanted[level] for level in LEVELS)

        outcomes = judged(wish, balances)

        assert fits == all(outcome.refusal is None for outcome in outcomes)
        if fits:
            for level in LEVELS:
                assert balances[level].reserved == before[level][0] + wanted[level]
        else:
            assert all(outcome.refusal is not None for outcome in outcomes)
            assert held(balances) == before
    assert all(balance.reserved <= balance.on_hand for balance in balances.values())


def test_what_is_only_foreseen_is_told_and_not_held():
    balances = History([(MAIN, ago(1), Decimal(5))]).balances()

    foreseen = judged([change(-3, holds_until=UNTIL)], balances, is_foreseen=True)
    [granted] = judged([change(-5, holds_until=UNTIL)], balances)
    [refused] = judged([change(-1, holds_until=UNTIL)], balances)

    assert [outcome.refusal for outcome in foreseen] == [None]
    assert (granted.refusal, refused.refusal) == (None, Refusal.NOT_ENOUGH)
