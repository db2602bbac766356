from datetime import date, timedelta

import numpy as np
import pytest

from services.forecasting.methods.series import KnownAhead, profile, series_from_days

MONDAY = date(2025, 1, 6)


def day(number):
    return MONDAY + timedelta(days=number)


def from_days(demand=None, days=14, **columns):
    columns = {"horizon": 0} | columns
    return series_from_days(
        demand or {day(0): 1.0}, first_day=day(0), last_day=day(days - 1), **columns
    )


def test_days_without_an_entry_had_no_demand():
    series = from_days({day(0): 2.0, day(3): 5.0}, days=5)

    assert series.quantity.tolist() == [2.0, 0.0, 0.0, 5.0, 0.0]
    assert series.end == day(4)


def test_stock_outs_and_closures_say_nothing_about_demand():
    series = from_days({day(0): 2.0}, days=3, censored=[day(1)], closed=[day(2)])

    assert np.array_equal(series.demand, [2.0, np.nan, np.nan], equal_nan=True)


def test_a_promotion_flag_is_off_on_days_it_does_not_name():
    series = from_days(days=3, horizon=2, factors={"promo": {day(1): 1.0, day(3): 1.0}})

    assert series.regressors["promo"].tolist() == [0.0, 1.0, 0.0]
    assert series.known.regressors["promo"].tolist() == [1.0, 0.0]


def test_a_price_lasts_until_the_next_one():
    prices = {day(-9): 4.0, day(-3): 3.5, day(1): 2.99}

    series = from_days(days=3, horizon=2, factors={"price": prices})

    assert series.regressors["price"].tolist() == [3.5, 2.99, 2.99]
    assert series.known.regressors["price"].tolist() == [2.99, 2.99]


def test_a_price_first_known_later_holds_from_the_start():
    series = from_days(days=3, factors={"price": {day(2): 2.5}})

    assert series.regressors["price"].tolist() == [2.5, 2.5, 2.5]


def test_a_weekday_closed_for_eight_weeks_stays_closed():
    saturdays = [day(5 + 7 * week) for week in range(8)]

    series = from_days(days=56, horizon=9, closed=saturdays)

    assert np.flatnonzero(series.known.closed).tolist() == [5]


def test_one_open_saturday_is_enough_to_expect_more():
    saturdays = [day(5 + 7 * week) for week in range(7)]

    series = from_days(days=56, horizon=7, closed=saturdays)

    assert not series.known.closed.any()


def test_nothing_known_ahead_means_open():
    assert KnownAhead(np.array([True])).is_closed(3).tolist() == [True, False, False]


def test_a_window_knows_the_days_after_it():
    series = from_days(days=10, closed=[day(6)], factors={"promo": {day(7): 1.0}})

    window = series.window(2, 5, 3)

    assert (window.start, len(window)) == (day(2), 3)
    assert window.known.closed.tolist() == [False, True, False]
    assert window.known.regressors["promo"].tolist() == [0.0, 0.0, 1.0]


def test_days_before_the_first_demand_are_dropped():
    series = from_days({day(4): 1.0}, days=6, horizon=1, closed=[day(6)]).since_first_demand()

    assert series.start == day(4)
    assert series.quantity.tolist() == [1.0, 0.0]
    assert series.known.closed.tolist() == [True]


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ([5, 6, 5, 6] * 10, "smooth"),
        ([1, 20, 1, 1] * 10, "erratic"),
        ([5, 0, 0, 6] * 10, "intermittent"),
        ([1, 0, 0, 0, 20, 0, 0, 1, 0, 0] * 4, "lumpy"),
    ],
)
def test_demand_classes_of_syntetos_and_boylan(make_series, quantity, expected):
    assert profile(make_series(quantity)).demand_class == expected


def test_profile_by_hand(make_series):
    item = profile(make_series([2, 0, 4, 0, 0, 9], censored=[5]))

    assert item.interval_days == 2.5
    assert item.size_cv2 == pytest.approx(1 / 9)
    assert item.zero_share == pytest.approx(0.6)


@pytest.mark.parametrize(("quiet_days", "is_dead"), [(90, False), (91, True)])
def test_an_item_is_dead_after_ninety_days(make_series, quiet_days, is_dead):
    assert profile(make_series([3] * 100 + [0] * quiet_days)).is_dead is is_dead


def test_a_slow_item_is_given_four_intervals(make_series):
    assert not profile(make_series(([3] + [0] * 39) * 9 + [0] * 91)).is_dead


def test_days_without_stock_do_not_kill_an_item(make_series):
    assert not profile(make_series([3] * 100 + [0] * 100, censored=range(100, 200))).is_dead


def test_an_item_never_wanted_is_dead(make_series):
    assert profile(make_series([0, 0, 0])).is_dead


def test_the_hash_changes_with_every_column(make_series):
    columns = [
        {},
        {"censored": [1]},
        {"closed": [1]},
        {"regressors": {"promo": [0, 1, 0]}},
        {"country": "IT"},
    ]

    hashes = {make_series([1, 2, 3], **changed).data_hash() for changed in columns}

    assert len(hashes) == len(columns)
    assert make_series([1, 2, 3]).data_hash() in hashes


@pytest.mark.parametrize("quantity", [[1.0, -1.0], [1.0, float("nan")]])
def test_impossible_demand_is_refused(make_series, quantity):
    with pytest.raises(ValueError, match="finite and not negative"):
        make_series(quantity)


def test_columns_of_unequal_length_are_refused(make_series):
    with pytest.raises(ValueError, match="one value per day"):
        make_series([1, 2, 3], regressors={"promo": [1, 0]})


def test_a_period_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="at least one day"):
        from_days(days=0)
