from datetime import date

from demo.charts import Picture, Point

TODAY = date(2026, 3, 13)


def test_the_axis_has_room_for_sales_and_interval():
    assert picture([4, 0, 9]).top == 9
    assert picture([0, 0]).top == 6


def picture(sold):
    return Picture(
        title="Fan",
        sold=[(TODAY, float(n)) for n in sold],
        points=[Point(TODAY, 3, 2, 4, 1, 6)],
    )
