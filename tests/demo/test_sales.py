from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from demo.sales import GIFTS, PASTA, read_series, series_of, whole_weeks

days = st.dates(date(2011, 1, 1), date(2040, 1, 1))


@given(days, days)
def test_weekdays_stay_and_at_most_six_days_are_cut(last_day, yesterday):
    moved = last_day + whole_weeks(last_day, yesterday)

    assert moved.weekday() == last_day.weekday()
    assert 0 <= (moved - yesterday).days < 7


def test_closed_day_sells_nothing_and_days_after_yesterday_are_cut():
    rows = [
        {"date": "2020-01-01", "quantity": "4", "price": "1.00"},
        {"date": "2020-01-03", "quantity": "6", "price": "3.00"},
        {"date": "2020-01-04", "quantity": "9", "price": "2.00"},
    ]

    found = series_of("A", rows, timedelta(days=7), date(2020, 1, 10))

    assert found.first_day == date(2020, 1, 8)
    assert found.quantities == (4, 0, 6)
    assert found.last_day == date(2020, 1, 10)
    assert found.price == Decimal("2.00")
    assert list(found.days())[-1] == (date(2020, 1, 10), 6)


def test_both_sources_end_yesterday_and_lose_less_than_a_week():
    yesterday = date(2026, 3, 12)

    pasta, gifts = read_series(PASTA, yesterday), read_series(GIFTS, yesterday)

    assert len(pasta) == 24
    assert len(gifts) == 16
    assert {series.last_day for series in pasta + gifts} == {yesterday}
    assert {len(series.quantities) for series in pasta} <= set(range(723, 730))
    assert all(series.price is None for series in pasta)
    assert all(series.price for series in gifts)
