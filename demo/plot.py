"""Charts as PNG files. Loads matplotlib, which takes as long as everything else together."""

from datetime import date
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import dates as mpl_dates
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import XAxis
from matplotlib.ticker import MaxNLocator

from demo.charts import Picture

SIZE_INCHES = (11, 4.2)
DOTS_PER_INCH = 110
SOLD_COLOUR = "#8a94a6"
FORECAST_COLOUR = "#0b6e99"
SOLD, FORECAST, NARROW, WIDE = LEGEND = ("Sold", "Forecast", "80 % interval", "95 % interval")
HEADROOM = 1.16  # The legend stands above the highest bar.


def draw(picture: Picture, path: Path) -> None:
    """Write the picture as PNG."""
    figure, axes = plt.subplots(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    _draw_sales(axes, picture)
    _draw_forecast(axes, picture)
    _label(axes, picture)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)


def _draw_sales(axes: Axes, picture: Picture) -> None:
    days = [_position(day) for day, _ in picture.sold]
    axes.bar(days, [n for _, n in picture.sold], width=0.85, color=SOLD_COLOUR, label=SOLD)


def _draw_forecast(axes: Axes, picture: Picture) -> None:
    points = picture.points
    days = [_position(point.date) for point in points]
    for lower, upper, alpha, label in (
        ([p.lower_95 for p in points], [p.upper_95 for p in points], 0.16, WIDE),
        ([p.lower_80 for p in points], [p.upper_80 for p in points], 0.30, NARROW),
    ):
        axes.fill_between(
            days, lower, upper, color=FORECAST_COLOUR, alpha=alpha, linewidth=0, label=label
        )
    axes.plot(days, [p.mean for p in points], color=FORECAST_COLOUR, linewidth=2, label=FORECAST)
    axes.axvline(days[0], color="#444444", linewidth=1, linestyle=":")


def _label(axes: Axes, picture: Picture) -> None:
    axes.set_title(picture.title, loc="left", fontsize=12)
    axes.set_ylabel("Units a day")
    axes.set_xlabel("Day")
    axes.set_ylim(bottom=0, top=picture.top * HEADROOM)
    axes.margins(x=0.01)
    axes.grid(axis="y", color="#dddddd")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    _label_days(axes.xaxis)
    handles, labels = axes.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda each: LEGEND.index(labels[each]))
    axes.legend(
        [handles[each] for each in order],
        LEGEND,
        loc="upper left",
        frameon=False,
        ncols=len(LEGEND),
    )


def _label_days(axis: XAxis) -> None:
    months = mpl_dates.MonthLocator()  # type: ignore[no-untyped-call]  # matplotlib's own gap.
    names = mpl_dates.DateFormatter("%b %Y")  # type: ignore[no-untyped-call]  # same.
    mondays = mpl_dates.WeekdayLocator(mpl_dates.MO)  # type: ignore[no-untyped-call]  # same.
    axis.set_major_locator(months)
    axis.set_major_formatter(names)
    axis.set_minor_locator(mondays)


def _position(day: date) -> float:
    """Return the place of a day on the axis: matplotlib counts days since 1970."""
    return float((day - date(1970, 1, 1)).days)
