"""Who gets scarce units, compared with what the history says at every instant."""

from collections import defaultdict
from copy import deepcopy
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.inventory.ledger.rules import NO_LOT, Change, OpenFrom, Reference, Refusal, judge
from tests.support.ledger import LEVELS, NOW, PLACES, SPOTS, History, ago, change, counted, transfer

amounts = st.integers(1, 12).map(Decimal)
hours = st.none() | st.integers(1, 6)


@st.composite
def asked_changes(draw) -> Change:
    when = draw(hours)
    more = {"item": draw(st.sampled_from("AB")), "occurred_at": None if when is None else ago(when)}
    match draw(st.sampled_from(["in", "out", "transfer", "count"])):
        case "in":
            return change(draw(amounts), place=draw(st.sampled_from(["MAIN", "SHOP"])), **more)
        case "out":
            return change(-draw(amounts), place=draw(st.sampled_from(["MAIN", "SHOP"])), **more)
        case "transfer":
            return transfer(draw(amounts), **more)
        case _:
            return counted(draw(amounts) - 1, **more)


@st.composite
def histories(draw) -> History:
    """Whatever movements in order of time have left, some of it reserved."""
    history = History()
    for hour in sorted(draw(st.lists(st.integers(1, 7), max_size=8)), reverse=True):
        level = draw(st.sampled_from(LEVELS))
        quantity = draw(amounts) * draw(st.sampled_from([1, 1, -1]))
        if history.at(level, NOW) + quantity >= 0:
            history.rows.append((level, ago(hour), quantity))
    for level in LEVELS:
        on_hand = history.at(level, NOW)
        history.reserved[level] = draw(st.integers(0, int(on_hand))) * Decimal(1)
    return history


@given(histories(), st.lists(asked_changes(), min_size=1, max_size=8))
def test_no_instant_is_ever_below_zero_nor_now_below_what_is_reserved(history, changes):
    for asked, outcome in zip(changes, history.judge(*changes), strict=True):
        history.record(asked, outcome)

        assert history.lowest() >= 0
        for level in LEVELS:
            assert history.at(level, NOW) >= history.reserved[level]


@given(histories(), st.lists(asked_changes(), min_size=1, max_size=6))
def test_what_is_refused_could_not_have_been_granted(history, changes):
    for asked, outcome in zip(changes, history.judge(*changes), strict=True):
        if outcome.refusal is not None:
            tried = deepcopy(history)
            tried.record(asked, outcome._replace(refusal=None))
            spot = SPOTS[asked.item, asked.place]
            short = any(
                tried.at(level, NOW) < history.reserved[level]
                for level in LEVELS
                if level[0] == spot.item_id
            )
            assert short or tried.lowest() < 0
        history.record(asked, outcome)


@given(histories(), st.lists(asked_changes(), min_size=1, max_size=6))
def test_one_by_one_is_the_same_as_together(history, changes):
    together = history.judge(*changes)

    for asked, outcome in zip(changes, together, strict=True):
        (alone,) = history.judge(asked)
        assert alone == outcome
        history.record(asked, alone)


@given(histories(), st.lists(asked_changes(), min_size=1, max_size=6))
def test_an_atomic_call_grants_all_or_nothing(history, changes):
    singly = history.judge(*changes)

    atomic = history.judge(*changes, atomic=True)

    if all(outcome.refusal is None for outcome in singly):
        assert atomic == singly
    else:
        assert [v.refusal for v in atomic] == [v.refusal or Refusal.HELD_BACK for v in singly]


@given(histories(), st.lists(asked_changes(), min_size=1, max_size=6))
def test_a_count_leaves_what_was_counted_at_its_instant(history, changes):
    for asked, outcome in zip(changes, history.judge(*changes), strict=True):
        history.record(asked, outcome)
        if asked.counted is not None and outcome.refusal is None:
            spot = SPOTS[asked.item, asked.place]
            level = spot.item_id, spot.place_id, NO_LOT
            assert history.at(level, outcome.occurred_at) == asked.counted


@given(histories(), st.lists(asked_changes(), min_size=1, max_size=6))
def test_transfers_neither_make_nor_lose_units(history, changes):
    transfers = [asked for asked in changes if asked.counterplace is not None]
    before = [history.at(level, NOW) for level in LEVELS]

    for asked, outcome in zip(transfers, history.judge(*transfers), strict=True):
        history.record(asked, outcome)

    totals = defaultdict(Decimal)
    for (item, *_), was, level in zip(LEVELS, before, LEVELS, strict=True):
        totals[item] += history.at(level, NOW) - was
    assert set(totals.values()) == {0}


@given(histories(), st.integers(1, 6), amounts)
def test_the_earliest_instant_is_when_it_fits_and_not_before(history, hour, quantity):
    (refused,) = history.judge(change(-quantity, occurred_at=ago(hour)))
    if refused.refusal is not Refusal.NOT_ENOUGH_THEN:
        return

    (then,) = history.judge(change(-quantity, occurred_at=refused.fits_from))
    a_moment = timedelta(microseconds=1)
    (before,) = history.judge(change(-quantity, occurred_at=refused.fits_from - a_moment))

    assert then.refusal is None
    assert before.refusal is Refusal.NOT_ENOUGH_THEN


@given(
    histories(),
    st.lists(asked_changes(), min_size=1, max_size=8),
    st.sets(st.sampled_from(sorted(PLACES.values()))),
)
def test_who_is_limited_to_places_moves_nothing_at_others_and_is_not_in_others_way(
    history, changes, places
):
    """Judged among changes of others, as movements that come at once are."""
    limited = [asked._replace(places=frozenset(places)) for asked in changes]
    others = [asked._replace(id=uuid4()) for asked in changes]

    outcomes = history.judge(*limited, *others)

    allowed = [
        asked
        for asked in limited
        if {SPOTS[asked.item, place].place_id for place in _ends(asked)} <= places
    ]
    for outcome in outcomes[: len(limited)]:
        if outcome.change not in allowed:
            assert outcome.refusal in {Refusal.UNKNOWN_PLACE, Refusal.UNKNOWN_COUNTERPLACE}
            assert (outcome.available, outcome.balance, outcome.fits_from) == (0, 0, None)
    served = [one for one in outcomes if one.change in allowed or one.change in others]
    without = history.judge(*(one._replace(places=None) for one in allowed), *others)
    assert [one._replace(change=None) for one in served] == [
        one._replace(change=None) for one in without
    ]


def _ends(asked: Change) -> list[Reference]:
    return [asked.place] if asked.counterplace is None else [asked.place, asked.counterplace]


@given(
    histories(),
    st.lists(asked_changes(), min_size=1, max_size=6),
    st.integers(0, 7),
    st.sampled_from([Refusal.PERIOD_CLOSED, Refusal.ARCHIVED]),
)
def test_what_is_dated_before_all_is_open_is_refused_and_the_rest_as_if_it_were_not_asked(
    history, changes, hour, why
):
    is_open = [each.occurred_at is None or each.occurred_at >= ago(hour) for each in changes]
    outcomes = history.judge(*changes, open_from=OpenFrom(ago(hour), why))

    allowed = [each for each, opened in zip(changes, is_open, strict=True) if opened]
    alone = iter(history.judge(*allowed, open_from=OpenFrom(ago(hour), why)))
    for outcome, opened in zip(outcomes, is_open, strict=True):
        if opened:
            assert outcome == next(alone)
            assert outcome.refusal is not why
        else:
            assert (outcome.refusal, outcome.fits_from) == (why, ago(hour))


@given(
    histories(),
    st.lists(asked_changes(), min_size=1, max_size=6),
    st.sets(st.sampled_from(list(SPOTS))),
)
def test_nothing_frozen_moves_and_the_rest_as_if_it_were_not_asked(history, changes, frozen):
    freeze_id = uuid4()
    spots = {
        pair: spot._replace(frozen_by=freeze_id) if pair in frozen else spot
        for pair, spot in SPOTS.items()
    }
    is_frozen = [
        (each.item, each.place) in frozen
        or (each.counterplace is not None and (each.item, each.counterplace) in frozen)
        for each in changes
    ]
    outcomes = judge(changes, spots, history.prepared(changes), NOW, atomic=False)

    allowed = [each for each, stopped in zip(changes, is_frozen, strict=True) if not stopped]
    alone = iter(judge(allowed, spots, history.prepared(allowed), NOW, atomic=False))
    for outcome, stopped in zip(outcomes, is_frozen, strict=True):
        if stopped:
            assert (outcome.refusal, outcome.frozen_by) == (Refusal.FROZEN, freeze_id)
        else:
            assert outcome == next(alone)
