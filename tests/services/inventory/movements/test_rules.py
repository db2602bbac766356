from collections import defaultdict
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.movements.rules import (
    Direction,
    Kind,
    Level,
    Verdict,
    Wish,
    crowded_items,
    judge,
    signed_change,
)

ITEMS = [UUID(int=n) for n in (1, 2)]
PLACES = [UUID(int=n) for n in (11, 12)]
KEYS = [(item, place) for item in ITEMS for place in PLACES]
A, MAIN, SHOP = ITEMS[0], PLACES[0], PLACES[1]

amounts = st.integers(0, 20_0000).map(lambda ten_thousandths: Decimal(ten_thousandths) / 10_000)


# Sound levels: nothing negative, no more reserved than there is.
levels_of_stock = st.lists(
    st.builds(lambda reserved, free: Level(reserved + free, reserved), amounts, amounts),
    min_size=len(KEYS),
    max_size=len(KEYS),
).map(lambda levels: dict(zip(KEYS, levels, strict=True)))


@st.composite
def wish_lists(draw: st.DrawFn) -> list[Wish]:
    wishes = []
    for number in range(draw(st.integers(1, 8))):
        item, place = draw(st.sampled_from(KEYS))
        amount = draw(amounts) + 1
        match draw(st.sampled_from(Kind)):
            case Kind.COUNT_CORRECTION:
                wishes.append(Wish(number, item, place, counted=draw(amounts)))
            case Kind.TRANSFER:
                other = draw(st.sampled_from([p for p in PLACES if p != place]))
                wishes.append(Wish(number, item, place, change=-amount, counterplace=other))
            case kind:
                change = signed_change(kind, amount, draw(st.sampled_from(Direction)))
                wishes.append(Wish(number, item, place, change=change))
    return wishes


def steps(
    wishes: list[Wish], verdicts: list[Verdict], levels: dict[tuple[UUID, UUID], Level]
) -> list[dict[tuple[UUID, UUID], Decimal]]:
    """What is on hand before the first wish and after each, by what was granted."""
    on_hand = {key: level.on_hand for key, level in levels.items()}
    states = [on_hand]
    for wish, verdict in zip(wishes, verdicts, strict=True):
        on_hand = dict(on_hand)
        if verdict.granted:
            on_hand[wish.item_id, wish.place] += verdict.change
            if wish.counterplace is not None:
                on_hand[wish.item_id, wish.counterplace] -= verdict.change
        states.append(on_hand)
    return states


def level(on_hand: object, reserved: object = 0) -> Level:
    return Level(Decimal(str(on_hand)), Decimal(str(reserved)))


def change(number: int, quantity: object, place: UUID = MAIN) -> Wish:
    return Wish(number, A, place, change=Decimal(str(quantity)))


def granted(verdicts: list[Verdict]) -> list[bool]:
    return [verdict.granted for verdict in verdicts]


@given(wish_lists(), levels_of_stock, st.booleans())
def test_stock_never_falls_below_what_is_reserved_at_any_point(wishes, levels, atomic):
    verdicts = judge(wishes, levels, atomic=atomic)

    for state in steps(wishes, verdicts, levels):
        assert all(state[key] >= levels[key].reserved for key in KEYS)


@given(wish_lists(), levels_of_stock)
def test_what_is_refused_could_not_have_been_granted(wishes, levels):
    verdicts = judge(wishes, levels, atomic=False)

    before = steps(wishes, verdicts, levels)
    for wish, verdict, state in zip(wishes, verdicts, before, strict=False):
        if verdict.granted:
            continue
        ends = {(wish.item_id, wish.place): verdict.change}
        if wish.counterplace is not None:
            ends[wish.item_id, wish.counterplace] = -verdict.change
        assert any(
            delta < 0 and state[key] + delta < levels[key].reserved for key, delta in ends.items()
        )


@given(wish_lists(), levels_of_stock)
def test_a_refused_wish_changes_nothing_for_those_after_it(wishes, levels):
    verdicts = judge(wishes, levels, atomic=False)
    kept = [wish for wish, verdict in zip(wishes, verdicts, strict=True) if verdict.granted]

    without = judge(kept, levels, atomic=False)

    assert without == [verdict for verdict in verdicts if verdict.granted]


@given(wish_lists(), levels_of_stock)
def test_an_atomic_call_grants_all_or_nothing(wishes, levels):
    verdicts = judge(wishes, levels, atomic=False)

    together = judge(wishes, levels, atomic=True)

    assert granted(together) == [all(granted(verdicts))] * len(wishes)
    assert [(v.number, v.change, v.available) for v in together] == [
        (v.number, v.change, v.available) for v in verdicts
    ]


@given(wish_lists(), levels_of_stock)
def test_transfers_neither_make_nor_lose_units(wishes, levels):
    transfers = [wish for wish in wishes if wish.counterplace is not None]

    states = steps(transfers, judge(transfers, levels, atomic=False), levels)

    totals = []
    for state in states:
        total: dict[UUID, Decimal] = defaultdict(Decimal)
        for (item, _), on_hand in state.items():
            total[item] += on_hand
        totals.append(dict(total))
    assert all(total == totals[0] for total in totals)


@given(wish_lists(), levels_of_stock)
def test_a_count_that_is_granted_leaves_what_was_counted(wishes, levels):
    verdicts = judge(wishes, levels, atomic=False)

    after = steps(wishes, verdicts, levels)[1:]
    for wish, verdict, state in zip(wishes, verdicts, after, strict=True):
        if wish.counted is not None and verdict.granted:
            assert state[wish.item_id, wish.place] == wish.counted


@given(wish_lists(), levels_of_stock)
def test_the_levels_given_stay_as_they_are(wishes, levels):
    before = dict(levels)

    judge(wishes, levels, atomic=False)

    assert levels == before


@given(wish_lists(), levels_of_stock)
def test_items_do_not_influence_one_another(wishes, levels):
    verdicts = {v.number: v for v in judge(wishes, levels, atomic=False)}

    for item in ITEMS:
        own = [wish for wish in wishes if wish.item_id == item]
        assert judge(own, levels, atomic=False) == [verdicts[wish.number] for wish in own]


def test_scarce_units_go_to_who_came_first_and_a_smaller_wish_may_still_fit():
    wishes = [change(0, -6), change(1, -5), change(2, -4), change(3, -1)]

    verdicts = judge(wishes, {(A, MAIN): level(10)}, atomic=False)

    assert granted(verdicts) == [True, False, True, False]
    assert [verdict.available for verdict in verdicts] == [10, 4, 4, 0]


def test_a_receipt_makes_room_for_an_issue_after_it_but_not_before():
    levels = {(A, MAIN): level(0)}

    assert granted(judge([change(0, 5), change(1, -5)], levels, atomic=True)) == [True, True]
    assert granted(judge([change(0, -5), change(1, 5)], levels, atomic=True)) == [False, False]


def test_reserved_units_are_not_available():
    levels = {(A, MAIN): level(10, reserved=4)}

    verdicts = judge([change(0, -7), change(1, -6), change(2, "-0.0001")], levels, atomic=False)

    assert granted(verdicts) == [False, True, False]


def test_a_count_below_what_is_reserved_is_refused():
    levels = {(A, MAIN): level(10, reserved=4)}

    verdicts = judge(
        [Wish(0, A, MAIN, counted=Decimal(3)), Wish(1, A, MAIN, counted=Decimal(4))],
        levels,
        atomic=False,
    )

    assert granted(verdicts) == [False, True]
    assert [verdict.change for verdict in verdicts] == [-7, -6]


def test_a_transfer_takes_here_and_gives_there_for_those_after_it():
    levels = {(A, MAIN): level(5), (A, SHOP): level(0)}
    wishes = [
        change(0, -1, SHOP),
        Wish(1, A, MAIN, change=Decimal(-5), counterplace=SHOP),
        change(2, -5, SHOP),
        change(3, -1),
    ]

    assert granted(judge(wishes, levels, atomic=False)) == [False, True, True, False]


def test_units_that_come_are_always_welcome():
    """Even where, by some fault, fewer lie than are reserved: coming units heal that."""
    assert granted(judge([change(0, 1)], {(A, MAIN): level(0, reserved=5)}, atomic=True)) == [True]


def test_a_wish_without_change_or_count_is_a_fault():
    with pytest.raises(ValueError, match="a change or a count"):
        judge([Wish(0, A, MAIN)], {(A, MAIN): level(1)}, atomic=False)


@pytest.mark.parametrize(
    ("kind", "direction", "expected"),
    [
        (Kind.RECEIPT, None, 3),
        (Kind.ISSUE, None, -3),
        (Kind.TRANSFER, None, -3),
        (Kind.ADJUSTMENT, Direction.IN, 3),
        (Kind.ADJUSTMENT, Direction.OUT, -3),
        (Kind.COUNT_CORRECTION, None, None),
    ],
)
def test_each_kind_has_its_sign(kind, direction, expected):
    assert signed_change(kind, Decimal(3), direction) == expected


def test_only_items_that_several_wanted_in_vain_are_crowded():
    first, second, third = (UUID(int=n) for n in (1, 2, 3))

    assert crowded_items([(first, True)]) == set()
    assert crowded_items([(first, True), (second, True), (second, True)]) == {second}
    assert crowded_items([(third, False), (third, True), (first, False), (first, False)]) == {third}
    assert crowded_items([]) == set()
