from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.inventory.counts.rules import (
    AbcClass,
    CountState,
    Entered,
    classify,
    figure_of,
    instants_of,
    is_hidden,
    may_review,
)
from shared.principal import Principal
from tests.support.ledger import MAIN, NOW, History, ago, change, counted

ANNA, BERT, CLEO = (UUID(int=n) for n in range(3))
CLERK = Principal(
    id=uuid4(), tenant_id=uuid4(), session_id=uuid4(), role="clerk",
    scopes=frozenset({"inventory:read", "stock:write"}),
)  # fmt: skip


def said(counter, quantity, hours=1.0, *, adds=False, seq=0):
    number = None if quantity is None else Decimal(quantity)
    return Entered(counter, number, adds, ago(hours), seq)


def told(*entries, lay=None):
    instants = instants_of(entries)
    figure = figure_of(entries, lay or dict.fromkeys(instants, Decimal(0)))
    return None if figure is None else (int(figure.quantity), figure.is_disputed)


def test_of_one_counter_the_latest_time_of_counting_holds():
    assert told() is None
    assert told(said(ANNA, 5)) == (5, False)
    assert told(said(ANNA, 7, 1), said(ANNA, 5, 2)) == (7, False)
    assert told(said(ANNA, 5, 2), said(ANNA, 7, 1)) == (7, False)
    assert told(said(ANNA, 5, seq=1), said(ANNA, 7, seq=2)) == (7, False)
    assert told(said(ANNA, 5, 2), said(ANNA, None, 1)) is None
    assert told(said(ANNA, 5, 1), said(ANNA, None, 2)) == (5, False)
    assert figure_of([said(ANNA, 5, 3), said(ANNA, 1, 2, adds=True)], {}).counted_at == ago(2)


def test_what_is_added_is_added_to_what_its_counter_and_others_said():
    assert told(said(ANNA, 5, 3), said(ANNA, 2, 2, adds=True)) == (7, False)
    assert told(said(ANNA, 2, 3, adds=True), said(ANNA, 5, 2)) == (5, False)
    assert told(said(ANNA, 5, 3), said(BERT, 2, 2, adds=True)) == (7, False)
    assert told(said(BERT, 2, 3, adds=True), said(ANNA, 5, 2)) == (7, False)
    assert told(said(ANNA, 1, adds=True), said(BERT, 2, adds=True)) == (3, False)
    assert told(said(ANNA, 1, 3, adds=True), said(ANNA, None, 2)) is None


def test_two_wholes_agree_or_are_in_dispute():
    assert told(said(ANNA, 5), said(BERT, 5)) == (5, False)
    assert told(said(ANNA, 5, 2), said(BERT, 6, 1)) == (6, True)
    lay = {ago(2): Decimal(5), ago(1): Decimal(6)}  # One came in between.
    assert told(said(ANNA, 5, 2), said(BERT, 6, 1), lay=lay) == (6, False)
    assert told(said(ANNA, 6, 2), said(BERT, 6, 1), lay=lay) == (6, True)
    agreed = [said(ANNA, 5, 3), said(BERT, 5, 2), said(CLEO, 1, 1, adds=True)]
    assert told(*agreed) == (6, False)


def test_who_may_post_sees_all_and_others_once_it_is_closed():
    boss = replace(CLERK, scopes=CLERK.scopes | {"inventory:write"})
    reader = replace(CLERK, scopes=frozenset({"inventory:read", "inventory:write"}))

    def hidden(caller, **more):
        asked = {"blind": True, "state": CountState.OPEN, "line_round": 1} | more
        return is_hidden(caller=caller, **asked)

    assert (may_review(boss), may_review(CLERK), may_review(reader)) == (True, False, False)
    assert (hidden(boss), hidden(CLERK), hidden(reader)) == (False, True, True)
    assert not hidden(CLERK, blind=False)
    assert hidden(CLERK, blind=False, line_round=2)
    assert not hidden(CLERK, state=CountState.POSTED)
    assert not hidden(CLERK, state=CountState.CANCELLED, line_round=2)


moves = st.lists(
    st.tuples(st.integers(0, 40), st.integers(-6, 9).filter(bool)), min_size=1, max_size=15
)
entries_of_one = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 20), st.booleans()), min_size=1, max_size=5
)


@given(moves=moves, entries=entries_of_one)
def test_stock_after_posting_is_what_was_counted_and_what_moved_since(moves, entries):
    """However movements and entries interleave, and in whatever order they were recorded."""
    history = History()
    for quarter, quantity in moves:
        asked = change(quantity, occurred_at=NOW - timedelta(minutes=15 * quarter))
        [outcome] = history.judge(asked)
        history.record(asked, outcome)
    figure = figure_of(
        [
            Entered(ANNA, Decimal(quantity), adds, NOW - timedelta(minutes=15 * quarter), seq)
            for seq, (quarter, quantity, adds) in enumerate(entries)
        ],
        {},
    )
    before = [row for row in history.rows if row[0] == MAIN]
    since = sum((q for _, at, q in before if at > figure.counted_at), Decimal(0))

    correction = counted(figure.quantity, occurred_at=figure.counted_at)
    [outcome] = history.judge(correction)
    history.record(correction, outcome)

    if outcome.refusal is None:
        assert history.at(MAIN, figure.counted_at) == figure.quantity
        assert history.at(MAIN, NOW) == figure.quantity + since
        assert history.lowest() >= 0
    else:  # So few cannot have lain there, for more was taken since.
        assert history.at(MAIN, figure.counted_at) > figure.quantity


whole = st.tuples(
    st.sampled_from([ANNA, BERT, CLEO]), st.integers(0, 9) | st.none(), st.booleans(),
    st.integers(0, 6),
)  # fmt: skip


@given(entries=st.lists(whole, max_size=8), order=st.randoms())
def test_the_figure_does_not_depend_on_the_order_of_arrival_of_different_instants(entries, order):
    said_at = [
        Entered(counter, None if q is None else Decimal(q), adds and q is not None, ago(h), n)
        for n, (counter, q, adds, h) in enumerate(entries)
    ]
    shuffled = list(said_at)
    order.shuffle(shuffled)
    lay = dict.fromkeys(instants_of(said_at), Decimal(3))

    assert figure_of(said_at, lay) == figure_of(shuffled, lay)


def test_classes_are_by_the_share_of_the_whole():
    items = [UUID(int=n) for n in range(6)]
    amounts = [70, 15, 10, 4, 1, 0]
    found = classify(dict(zip(items, map(Decimal, amounts), strict=True)))

    assert [found[each].value for each in items] == ["A", "A", "B", "C", "C", "C"]
    assert classify({}) == {}
    assert classify({ANNA: Decimal(0)}) == {ANNA: AbcClass.C}


@given(st.dictionaries(st.uuids(), st.decimals(0, 10**6, places=4), max_size=30))
def test_what_is_of_a_higher_class_was_issued_as_much_or_more(issued):
    found = classify(issued)

    assert found.keys() == issued.keys()
    ranked = sorted(issued, key=lambda each: (found[each], -issued[each]))
    assert [issued[each] for each in ranked] == sorted(issued.values(), reverse=True)
