from datetime import date, timedelta

import pytest

from demo.charts import Picture, Point

TODAY = date(2026, 3, 13)


@pytest.mark.slow
def test_the_picture_has_the_size_that_a_page_can_show(tmp_path):
    from matplotlib import image  # noqa: PLC0415 - slow to load; collecting need not wait for it.

    from demo.plot import draw  # noqa: PLC0415 - same.

    path = tmp_path / "out" / "fan.png"

    draw(
        Picture(
            title="Fan",
            sold=[(TODAY - timedelta(days=3 - n), float(sold)) for n, sold in enumerate((4, 0, 9))],
            points=[Point(TODAY + timedelta(days=ahead), 3, 2, 4, 1, 6) for ahead in range(28)],
        ),
        path,
    )

    height, width, _ = image.imread(path).shape
    assert (width, height) == (1210, 462)
    assert path.stat().st_size < 150_000
