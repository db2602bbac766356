"""Who gets scarce units, compared with what the history says at every instant."""

from collections import defaultdict
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.ledger.rules import (
    CLOCK_TOLERANCE,
    ON_HAND_MAX,
    Balance,
    Change,
    Kind,
    Refusal,
    Spot,
    Timeline,
    judge,
    late_levels,
    reference_to,
)

NOW = datetime(2026, 3, 13, 12, tzinfo=UTC)
ITEMS = {code: UUID(int=n) for n, code in enumerate("AB", 1)}
PLACES = {name: UUID(int=n) for n, name in enumerate(["MAIN", "SHOP"], 11)}
SPOTS = {
    (reference_to(code), reference_to(name)): Spot(
        item, code, active=True, cost_id=None, place_id=place, place=name
    )
    for code, item in ITEMS.items()
    for name, place in PLACES.items()
}
LEVELS = [(item, place) for item in ITEMS.values() for place in PLACES.values()]
MAIN, SHOP = LEVELS[0], LEVELS[1]


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def change(quantity, item="A", place="MAIN", **more) -> Change:
    amount = None if quantity is None else Decimal(str(quantity))
    return Change(
        uuid4(), Kind.ADJUSTMENT, reference_to(item), reference_to(place), "user:1", "r",
        quantity=amount, **more,
    )  # fmt: skip


def counted(quantity, **more) -> Change:
    return change(None, counted=Decimal(quantity), **more)


def transfer(quantity, item="A", **more) -> Change:
    return change(-quantity, item, counterplace=reference_to("SHOP"), **more)


class History:
    """Ledger rows as they were recorded, of levels that were never in want at any instant."""

    def __init__(self, rows=(), reserved=None):
        self.rows = list(rows)  # (level, instant, quantity)
        self.reserved = reserved or {}

    def at(self, level, instant):
        return sum((q for of, at, q in self.rows if of == level and at <= instant), Decimal(0))

    def lowest(self):
        instants = {at for _, at, _ in self.rows}
        return min((self.at(level, at) for level in LEVELS for at in instants), default=0)

    def balances(self):
        """As the service reads them before it judges."""
        found = {}
        for level in LEVELS:
            own = [row for row in self.rows if row[0] == level]
            found[level] = Balance(
                sum((q for *_, q in own), Decimal(0)),
                self.reserved.get(level, Decimal(0)),
                max((at for _, at, _ in own), default=None),
            )
        return found

    def prepared(self, changes):
        balances = self.balances()
        for level, late in late_levels(changes, SPOTS, balances, NOW).items():
            since = [(at, q) for of, at, q in self.rows if of == level and at > late.since]
            opening = balances[level].on_hand - sum((q for _, q in since), Decimal(0))
            balances[level].timeline = Timeline(opening, since, [*late.instants, NOW])
        return balances

    def judge(self, *changes, atomic=False):
        return judge(changes, SPOTS, self.prepared(changes), NOW, atomic=atomic)

    def record(self, asked, outcome):
        if outcome.refusal is None:
            spot = SPOTS[asked.item, asked.place]
            level = spot.item_id, spot.place_id
            self.rows.append((level, outcome.occurred_at, outcome.quantity))
            if asked.counterplace is not None:
                there = spot.item_id, SPOTS[asked.item, asked.counterplace].place_id
                self.rows.append((there, outcome.occurred_at, -outcome.quantity))


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
            assert history.at((spot.item_id, spot.place_id), outcome.occurred_at) == asked.counted


@given(histories(), st.lists(asked_changes(), min_size=1, max_size=6))
def test_transfers_neither_make_nor_lose_units(history, changes):
    transfers = [asked for asked in changes if asked.counterplace is not None]
    before = [history.at(level, NOW) for level in LEVELS]

    for asked, outcome in zip(transfers, history.judge(*transfers), strict=True):
        history.record(asked, outcome)

    totals = defaultdict(Decimal)
    for (item, _), was, level in zip(LEVELS, before, LEVELS, strict=True):
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


def of_main(*rows):
    return History([(MAIN, ago(hours), Decimal(quantity)) for hours, quantity in rows])


def refusals(outcomes):
    return [outcome.refusal for outcome in outcomes]


def test_scarce_units_go_to_who_came_first_and_a_smaller_change_may_still_fit():
    outcomes = of_main((1, 10)).judge(change(-6), change(-5), change(-4), change(-1))

    assert refusals(outcomes) == [None, Refusal.NOT_ENOUGH, None, Refusal.NOT_ENOUGH]
    assert (outcomes[1].available, outcomes[3].available) == (4, 0)


def test_a_receipt_makes_room_for_an_issue_after_it_but_not_before():
    assert refusals(History().judge(change(5), change(-5), atomic=True)) == [None, None]
    assert refusals(History().judge(change(-5), change(5), atomic=True)) == [
        Refusal.NOT_ENOUGH, Refusal.HELD_BACK,
    ]  # fmt: skip


def test_reserved_units_are_not_available():
    history = of_main((1, 10))
    history.reserved[MAIN] = Decimal(4)

    outcomes = history.judge(change(-7), change(-6), change("-0.0001"))

    assert refusals(outcomes) == [Refusal.NOT_ENOUGH, None, Refusal.NOT_ENOUGH]
    assert refusals(history.judge(counted(3), counted(4))) == [Refusal.NOT_ENOUGH, None]


def test_units_that_come_are_always_welcome():
    """Even where, by some fault, fewer lie than are reserved: coming units heal that."""
    history = History(reserved={MAIN: Decimal(5)})

    assert refusals(history.judge(change(1))) == [None]


def test_a_late_count_corrects_what_lay_then():
    """Ten came three days ago, four went yesterday; two days ago ten were counted: all is well."""
    history = of_main((72, 10), (24, -4))

    (outcome,) = history.judge(counted(10, occurred_at=ago(48)))

    assert (outcome.quantity, outcome.balance, outcome.is_backdated) == (0, 6, True)


def test_a_late_count_that_leaves_too_little_for_what_went_later_is_refused():
    history = of_main((72, 10), (24, -4), (12, 9))

    (outcome,) = history.judge(counted(3, occurred_at=ago(48)))

    assert (outcome.refusal, outcome.fits_from) == (Refusal.NOT_ENOUGH_THEN, None)


def test_an_issue_before_the_first_receipt_is_refused_with_the_time_from_which_it_fits():
    history = of_main((24, 10))

    (outcome,) = history.judge(change(-4, occurred_at=ago(48)))

    assert outcome.refusal is Refusal.NOT_ENOUGH_THEN
    assert (outcome.available, outcome.fits_from) == (0, ago(24))


def test_a_late_issue_may_take_all_that_lay_there_since_and_no_more():
    history = of_main((72, 10), (48, -7), (24, 5))

    refused, granted = history.judge(
        change("-3.0001", occurred_at=ago(60)), change(-3, occurred_at=ago(60))
    )

    assert (refused.refusal, refused.available) == (Refusal.NOT_ENOUGH_THEN, 3)
    assert (refused.quantity, refused.occurred_at) == (Decimal("-3.0001"), ago(60))
    assert refused.is_backdated
    assert refused.fits_from == ago(24)
    assert (granted.refusal, granted.balance) == (None, 5)


def test_a_refused_transfer_says_what_its_place_had_and_moves_neither_end():
    history = of_main((1, 2))

    refused, granted = history.judge(transfer(3), transfer(2))

    assert (refused.refusal, refused.available) == (Refusal.NOT_ENOUGH, 2)
    assert (granted.balance, granted.counterbalance) == (0, 2)


def test_without_enough_even_now_no_time_is_named():
    (outcome,) = of_main((24, 10)).judge(change(-11, occurred_at=ago(48)))

    assert (outcome.refusal, outcome.available) == (Refusal.NOT_ENOUGH, 10)
    assert outcome.fits_from is None


def test_in_order_of_time_nothing_is_backdated_however_old():
    outcomes = History().judge(*(change(1, occurred_at=ago(hour)) for hour in (900, 30, 30, 2)))

    assert [outcome.is_backdated for outcome in outcomes] == [False] * 4


def test_lines_out_of_order_among_themselves_are_backdated_too():
    outcomes = History().judge(
        change(5, occurred_at=ago(2)), change(-5, occurred_at=ago(3)), change(-5)
    )

    assert refusals(outcomes) == [None, Refusal.NOT_ENOUGH_THEN, None]
    assert outcomes[1].is_backdated
    assert outcomes[1].fits_from == ago(2)


def test_a_clock_that_runs_ahead_is_set_to_now_within_the_tolerance():
    a_moment = timedelta(microseconds=1)
    outcomes = History().judge(
        change(1, occurred_at=NOW + CLOCK_TOLERANCE),
        change(1, occurred_at=NOW + CLOCK_TOLERANCE + a_moment),
    )

    assert [(v.refusal, v.occurred_at) for v in outcomes] == [
        (None, NOW),
        (Refusal.IN_FUTURE, None),
    ]


def test_after_a_server_clock_was_set_back_now_is_the_latest_movement():
    history = History([(MAIN, NOW + timedelta(seconds=3), Decimal(1))])

    (outcome,) = history.judge(change(-1))

    assert (outcome.occurred_at, outcome.is_backdated) == (NOW + timedelta(seconds=3), False)


@pytest.mark.parametrize(
    ("spot", "refusal"),
    [
        (Spot(None, None, None, None, PLACES["MAIN"], "MAIN"), Refusal.UNKNOWN_ITEM),
        (
            Spot(
                ITEMS["A"], "A", active=False, cost_id=None, place_id=PLACES["MAIN"], place="MAIN"
            ),
            Refusal.RETIRED_ITEM,
        ),
        (
            Spot(ITEMS["A"], "A", active=True, cost_id=None, place_id=None, place=None),
            Refusal.UNKNOWN_PLACE,
        ),
    ],
)
def test_what_is_not_there_is_said(spot, refusal):
    asked = change(1)

    (outcome,) = judge([asked], {(asked.item, asked.place): spot}, {}, NOW, atomic=False)

    assert outcome.refusal is refusal


def test_a_transfer_needs_another_place_that_is_there():
    asked = transfer(1)
    here, there = SPOTS[asked.item, asked.place], SPOTS[asked.item, asked.counterplace]

    for spot, refusal in [
        (there._replace(place_id=None), Refusal.UNKNOWN_COUNTERPLACE),
        (there._replace(place_id=here.place_id), Refusal.SAME_PLACE),
    ]:
        spots = {(asked.item, asked.place): here, (asked.item, asked.counterplace): spot}
        assert refusals(judge([asked], spots, {}, NOW, atomic=False)) == [refusal]


def test_more_than_a_column_holds_is_refused_for_that_change_alone():
    history = of_main((1, ON_HAND_MAX - 1))

    outcomes = history.judge(change(2), change(1), change("0.0001"), change(1, "B"))

    assert refusals(outcomes) == [Refusal.TOO_MUCH, None, Refusal.TOO_MUCH, None]


def test_a_change_without_quantity_or_count_is_a_fault():
    with pytest.raises(ValueError, match="a quantity or a count"):
        History().judge(change(None))


def test_a_late_change_is_never_judged_without_its_history():
    asked = change(-1, occurred_at=ago(2))

    with pytest.raises(LookupError):
        judge([asked], SPOTS, of_main((1, 5)).balances(), NOW, atomic=False)
