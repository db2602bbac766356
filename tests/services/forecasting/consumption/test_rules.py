from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.forecasting.consumption.rules import (
    WINDOW_DAYS_MAX,
    LedgerDay,
    complete_days,
    day_of,
    demand_history,
    is_window,
    window_start,
)

MONDAY = date(2026, 6, 1)


def ledger_day(offset, *, issued=0, returned=0, received=0, counted=0, on_hand=0):
    return LedgerDay(
        MONDAY + timedelta(days=offset),
        Decimal(issued),
        Decimal(returned),
        Decimal(received),
        Decimal(counted),
        Decimal(on_hand),
    )


def test_days_without_movements_are_filled_and_keep_the_stock():
    ledger = [ledger_day(0, received=10, on_hand=10), ledger_day(3, issued=4, on_hand=6)]

    days = complete_days(ledger, MONDAY, MONDAY + timedelta(days=5))

    assert [int(day.quantity) for day in days] == [0, 0, 0, 4, 0, 0]
    assert [int(day.on_hand) for day in days] == [10, 10, 10, 6, 6, 6]
    assert not any(day.is_stock_out for day in days)


def test_days_that_end_without_stock_are_stock_outs_until_goods_arrive():
    ledger = [
        ledger_day(0, received=5, on_hand=5),
        ledger_day(1, issued=5, on_hand=0),
        ledger_day(4, received=8, issued=1, on_hand=7),
    ]

    days = complete_days(ledger, MONDAY, MONDAY + timedelta(days=5))

    assert [day.is_stock_out for day in days] == [False, True, True, True, False, False]


def test_a_history_whose_opening_stock_was_entered_late_is_no_stock_out():
    sold = [ledger_day(offset, issued=1, on_hand=-1 - offset) for offset in range(200)]
    ledger = [*sold, ledger_day(200, received=500, on_hand=300)]

    days = complete_days(ledger, MONDAY, MONDAY + timedelta(days=200))

    assert not any(day.is_stock_out for day in days)
    assert sum(day.quantity for day in days) == 200


def test_history_begins_with_the_first_movement_and_the_window_cuts_it():
    ledger = [ledger_day(2, received=5, on_hand=5), ledger_day(4, issued=2, on_hand=3)]

    whole = complete_days(ledger, MONDAY, MONDAY + timedelta(days=6))
    cut = complete_days(ledger, MONDAY + timedelta(days=3), MONDAY + timedelta(days=3))

    assert whole[0].day == MONDAY + timedelta(days=2)
    assert [(int(day.quantity), int(day.on_hand)) for day in cut] == [(0, 5)]


def test_a_window_before_the_first_movement_is_empty():
    assert complete_days([ledger_day(5)], MONDAY, MONDAY + timedelta(days=4)) == []
    assert complete_days([], MONDAY, MONDAY) == []


def test_what_a_count_misses_is_unrecorded_use_and_not_demand():
    [day] = complete_days([ledger_day(0, counted=-3, on_hand=4)], MONDAY, MONDAY)

    assert (day.quantity, day.unrecorded) == (0, 3)
    assert day.is_worth_telling


def test_demand_names_days_with_sales_and_stock_outs_only():
    ledger = [ledger_day(0, received=5, on_hand=5), ledger_day(2, issued=5, on_hand=0)]

    history = demand_history(complete_days(ledger, MONDAY, MONDAY + timedelta(days=3)))

    assert history is not None
    assert (history.first_day, history.last_day) == (MONDAY, MONDAY + timedelta(days=3))
    assert history.quantity == {MONDAY + timedelta(days=2): Decimal(5)}
    assert history.stock_outs == [MONDAY + timedelta(days=2), MONDAY + timedelta(days=3)]
    assert demand_history([]) is None


def test_a_day_is_one_of_utc():
    paris = timezone(timedelta(hours=2))

    assert day_of(datetime(2026, 6, 2, 1, tzinfo=paris)) == date(2026, 6, 1)
    assert day_of(datetime(2026, 6, 2, 1, tzinfo=UTC)) == date(2026, 6, 2)


def test_windows_run_forward_and_are_bounded():
    longest = timedelta(days=WINDOW_DAYS_MAX - 1)

    assert is_window(MONDAY, MONDAY)
    assert is_window(MONDAY, MONDAY + longest)
    assert not is_window(MONDAY, MONDAY + longest + timedelta(days=1))
    assert not is_window(MONDAY, MONDAY - timedelta(days=1))


def test_the_default_window_is_ninety_days_with_both_ends():
    assert window_start(date(2026, 6, 30)) == date(2026, 4, 2)


@given(st.dates())
def test_the_default_window_is_a_window_for_any_last_day(last_day):
    assert is_window(window_start(last_day), last_day)


@given(
    st.dictionaries(
        st.integers(0, 40), st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1
    ),
    st.integers(0, 45),
    st.integers(0, 45),
)
def test_no_unit_is_lost_by_completing_days(movements, first, length):
    ledger, on_hand = [], 1000
    for offset in sorted(movements):
        issued, received = movements[offset]
        on_hand += received - issued
        ledger.append(ledger_day(offset, issued=issued, received=received, on_hand=on_hand))
    window = [first, first + length]

    days = complete_days(ledger, *(MONDAY + timedelta(days=offset) for offset in window))

    inside = [v for k, v in movements.items() if window[0] <= k <= window[1]]
    assert sum(day.quantity for day in days) == sum(issued for issued, _ in inside)
    assert sum(day.received for day in days) == sum(received for _, received in inside)
    assert [b.day - a.day for a, b in pairwise(days)] == (
        [timedelta(days=1)] * max(len(days) - 1, 0)
    )


def test_what_was_given_back_lowers_the_demand_of_its_day_but_never_below_nothing():
    ledger = [ledger_day(0, issued=5, returned=2, on_hand=9), ledger_day(1, returned=3, on_hand=12)]

    days = complete_days(ledger, MONDAY, MONDAY + timedelta(days=1))

    assert [day.quantity for day in days] == [3, 0]


def test_the_default_window_of_the_first_days_there_are_begins_with_the_first():
    assert window_start(date(1, 1, 1)) == date(1, 1, 1)
    assert window_start(date(1, 3, 31)) == date(1, 1, 1)
    assert window_start(date(1, 4, 1)) == date(1, 1, 2)


def test_the_stock_of_the_first_day_is_what_the_day_before_left():
    ledger = [ledger_day(0, received=10, on_hand=10), ledger_day(1, issued=3, on_hand=7),
              ledger_day(4, issued=1, on_hand=6)]  # fmt: skip

    for offset, on_hand in ((0, 10), (1, 7), (2, 7), (3, 7), (4, 6), (5, 6)):
        day = MONDAY + timedelta(days=offset)
        [found] = complete_days(ledger, day, day)
        assert (found.day, found.on_hand) == (day, on_hand)


def test_a_day_is_worth_telling_for_use_for_what_went_missing_and_for_being_out_of_stock():
    ledger = [
        ledger_day(0, received=5, on_hand=5), ledger_day(1, issued=1, on_hand=4),
        ledger_day(2, counted=-1, on_hand=3), ledger_day(3, issued=3, on_hand=0),
    ]  # fmt: skip

    days = complete_days(ledger, MONDAY, MONDAY + timedelta(days=4))

    assert [day.is_worth_telling for day in days] == [False, True, True, True, True]


def test_without_any_day_there_is_no_history():
    assert demand_history([]) is None
