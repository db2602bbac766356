import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.forecasting.methods.assumptions import count_sold_out_days, limit_outliers

NEEDED = 14


def test_sold_out_days_stay_out_where_other_days_show_more(make_series):
    series = make_series([5] * 40, censored=range(0, 40, 3))

    assert count_sold_out_days(series, NEEDED) == (series, None)


def test_sold_out_days_count_where_too_few_others_are_left(make_series):
    series, assumed = count_sold_out_days(make_series([5] * 20, censored=range(5, 15)), NEEDED)

    assert series.usable.all()
    assert assumed == {
        "code": "sold_out_days_counted",
        "figures": {"sold_out_days": 10, "days": 20},
    }


@pytest.mark.parametrize("sold_out", [14, 6])
def test_sold_out_days_stay_out_where_just_enough_others_are_left(make_series, sold_out):
    series = make_series([5] * (14 + sold_out), censored=range(sold_out))

    assert count_sold_out_days(series, NEEDED) == (series, None)


def test_sold_out_days_count_where_they_are_the_most(make_series):
    series, assumed = count_sold_out_days(make_series([5] * 100, censored=range(60)), NEEDED)

    assert series.usable.all()
    assert assumed["figures"] == {"sold_out_days": 60, "days": 100}


def test_an_item_delivered_weekly_and_sold_at_once_is_wanted_at_what_it_sells(make_series):
    series, _ = count_sold_out_days(
        make_series([21, 0, 0, 0, 0, 0, 0] * 10, censored=range(70)), 14
    )

    assert series.demand[:64].sum() / 64 == pytest.approx(210 / 64)


def test_days_without_stock_after_the_last_sale_stay_unknown(make_series):
    series, _ = count_sold_out_days(make_series([5] * 20 + [0] * 9, censored=range(29)), NEEDED)

    assert series.usable.tolist() == [True] * 20 + [False] * 9


def test_empty_days_alone_are_no_sales_to_count(make_series):
    series = make_series([5] * 10 + [0] * 90, censored=range(10, 100))

    assert count_sold_out_days(series, NEEDED) == (series, None)


def test_one_day_far_beyond_all_others_counts_as_twice_the_next(make_series):
    series, assumed = limit_outliers(make_series([3, 6, 4, 500, 5]))

    assert series.quantity.tolist() == [3, 6, 4, 12, 5]
    assert assumed == {
        "code": "outlier_limited",
        "figures": {"day": "2025-01-09", "quantity": 500.0, "counted": 12.0},
    }


def test_three_sales_show_which_one_is_far_beyond(make_series):
    series, _ = limit_outliers(make_series([4, 0, 500, 0, 5]))

    assert series.quantity.tolist() == [4, 0, 10, 0, 5]


def test_twice_the_next_largest_day_is_demand(make_series):
    series = make_series([5, 6, 12])

    assert limit_outliers(series) == (series, None)


def test_a_unit_or_less_a_day_is_sold_too(make_series):
    limited, _ = limit_outliers(make_series([1, 0.5, 500, 1]))
    counted, _ = count_sold_out_days(make_series([1] * 20, censored=range(20)), NEEDED)

    assert limited.quantity.tolist() == [1, 0.5, 2, 1]
    assert counted.usable.all()


def test_peaks_that_come_back_are_demand(make_series):
    series = make_series([3, 60, 4, 3, 5, 55, 4])

    assert limit_outliers(series) == (series, None)


@pytest.mark.parametrize("quantity", [[0] * 9, [0, 0, 500], [0, 4, 500], [0.0]])
def test_two_sales_do_not_show_how_large_one_may_be(make_series, quantity):
    series = make_series(quantity)

    assert limit_outliers(series) == (series, None)


def test_days_that_are_not_demand_are_no_measure(make_series):
    series, _ = limit_outliers(make_series([3, 400, 4, 500, 5, 300], censored=[1], closed=[5]))

    assert series.quantity.tolist() == [3, 400, 4, 10, 5, 300]


def steady(days, peaks):
    return [peaks.get(day, 3 + day % 4) for day in range(days)]


def test_two_days_far_beyond_all_others_are_outliers(make_series):
    series, assumed = limit_outliers(make_series(steady(90, {20: 5000, 70: 400})))

    assert series.quantity.tolist() == steady(90, {20: 12, 70: 12})
    assert assumed == {
        "code": "outliers_limited",
        "figures": {"days": 2, "quantity": 5000.0, "counted": 12.0},
    }


def test_more_than_two_in_a_hundred_days_are_demand(make_series):
    series = make_series(steady(90, {20: 5000, 33: 5000, 70: 5000}))

    assert limit_outliers(series) == (series, None)


def test_ten_times_all_others_is_demand_if_it_happens_twice(make_series):
    series = make_series(steady(90, {20: 60, 70: 60}))

    assert limit_outliers(series) == (series, None)


def test_one_that_is_beyond_another_outlier_leaves_that_one(make_series):
    series, _ = limit_outliers(make_series(steady(90, {20: 5000, 70: 50})))

    assert series.quantity.tolist() == steady(90, {20: 100, 70: 50})


@pytest.mark.parametrize(
    "peaks",
    [
        range(25, 365, 60),
        [40, 41, 90, 91, 139, 140, 190, 191],
        [100, 103, 463, 471],
    ],
    ids=["every other month", "fairs of two days", "the same week of the next year"],
)
def test_peaks_that_come_back_are_demand_however_large(make_series, peaks):
    series = make_series(steady(730, dict.fromkeys(peaks, 900)))

    assert limit_outliers(series) == (series, None)


def test_peaks_at_odd_times_do_not_come_back(make_series):
    places = [30, 55, 61, 200, 210, 340, 600]

    series, assumed = limit_outliers(make_series(steady(730, dict.fromkeys(places, 900))))

    assert series.quantity.tolist() == steady(730, dict.fromkeys(places, 12))
    assert assumed["figures"]["days"] == 7


@given(
    quantity=st.lists(st.one_of(st.floats(0, 1e9), st.floats(1, 9)), min_size=1, max_size=150),
)
def test_few_days_are_ever_changed_and_never_below_all_others(make_series, quantity):
    series, assumed = limit_outliers(make_series(quantity))

    pairs = list(zip(quantity, series.quantity.tolist(), strict=True))
    changed = [(before, after) for before, after in pairs if before != after]
    rest = max((before for before, after in pairs if before == after), default=0)
    assert len(changed) <= max(1, math.ceil(0.02 * sum(each > 0 for each in quantity)))
    assert all(rest < after < before for before, after in changed)
    assert (assumed is None) == (not changed)


@given(quantity=st.lists(st.integers(0, 9), min_size=60, max_size=150), factor=st.floats(1, 5))
def test_demand_that_grows_or_varies_is_left_alone(make_series, quantity, factor):
    grown = [max(each, 1) * factor ** (day / 60) for day, each in enumerate(quantity)]

    series, assumed = limit_outliers(make_series([*grown, 2 * max(grown)]))

    assert (assumed, series.quantity.tolist()[:-1]) == (None, grown)
