from datetime import date, timedelta

from matplotlib import image

from demo import charts

TODAY = date(2026, 3, 13)


def picture(sold):
    return charts.Picture(
        title="Fan",
        sold=[(TODAY - timedelta(days=ahead), float(n)) for ahead, n in enumerate(sold, start=1)],
        points=[charts.Point(TODAY + timedelta(days=ahead), 3, 2, 4, 1, 6) for ahead in range(28)],
    )


def test_the_picture_has_the_size_that_a_page_can_show(tmp_path):
    path = tmp_path / "out" / "fan.png"

    charts.draw(picture([4, 0, 9]), path)

    height, width, _ = image.imread(path).shape
    assert (width, height) == (1210, 462)
    assert path.stat().st_size < 150_000


def test_the_axis_holds_sales_and_interval():
    assert charts._top(picture([4, 0, 9])) == 9
    assert charts._top(picture([0, 0])) == 6
