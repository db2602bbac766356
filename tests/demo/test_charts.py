from datetime import date, timedelta

from demo.charts import Picture, Point

TODAY = date(2026, 3, 13)


def test_the_axis_has_room_for_sales_and_interval():
    assert picture([4, 0, 9]).top == 9
    assert picture([0, 0]).top == 6


def picture(sold):
    return Picture(
        title="Fan",
        sold=[(TODAY - timedelta(days=ahead), float(n)) for ahead, n in enumerate(sold, start=1)],
        points=[Point(TODAY + timedelta(days=ahead), 3, 2, 4, 1, 6) for ahead in range(28)],
    )
