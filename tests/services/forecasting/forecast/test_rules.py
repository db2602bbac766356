from datetime import date

from services.forecasting.forecast.rules import points_ahead

POINTS = [{"date": f"2026-02-{day:02}"} for day in range(26, 29)] + [{"date": "2026-03-01"}]


def test_days_gone_by_are_left_out_and_today_is_told():
    ahead = points_ahead(POINTS, date(2026, 2, 28), None)

    assert [point["date"] for point in ahead] == ["2026-02-28", "2026-03-01"]


def test_no_more_periods_than_asked_for():
    assert points_ahead(POINTS, date(2026, 2, 1), 2) == POINTS[:2]


def test_after_its_last_day_nothing_is_ahead():
    assert points_ahead(POINTS, date(2026, 3, 2), 5) == []
