"""Who gets scarce units, case by case."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from services.inventory.ledger.rules import (
    CLOCK_TOLERANCE,
    ON_HAND_MAX,
    Refusal,
    item_reference,
    judge,
    place_reference,
)
from tests.support.ledger import (
    MAIN,
    NOW,
    SPOTS,
    History,
    ago,
    change,
    counted,
    transfer,
)


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


FOUND = SPOTS[item_reference("A"), place_reference("MAIN")]


@pytest.mark.parametrize(
    ("spot", "refusal"),
    [
        (FOUND._replace(item_id=None, code=None, active=None), Refusal.UNKNOWN_ITEM),
        (FOUND._replace(active=False), Refusal.RETIRED_ITEM),
        (FOUND._replace(place_id=None, place=None, place_active=None), Refusal.UNKNOWN_PLACE),
        (FOUND._replace(place_active=False), Refusal.RETIRED_PLACE),
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


def test_what_is_frozen_neither_comes_nor_goes_whatever_the_stock():
    freeze_id = uuid4()
    spots = {
        pair: spot._replace(frozen_by=freeze_id) if spot.place == "SHOP" else spot
        for pair, spot in SPOTS.items()
    }
    wanted = [
        change(1, place="SHOP"), change(-99, place="SHOP"), counted(0, item="B", place="SHOP"),
        transfer(1), change(-1),
    ]  # fmt: skip

    outcomes = judge(wanted, spots, of_main((1, 10)).balances(), NOW, atomic=False)

    assert refusals(outcomes) == [Refusal.FROZEN] * 4 + [None]
    assert [outcome.frozen_by for outcome in outcomes] == [freeze_id] * 4 + [None]
    assert outcomes[-1].balance == 9
