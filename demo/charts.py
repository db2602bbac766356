"""Pictures of what was sold and what is expected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import dates as mpl_dates  # noqa: E402 - after the choice of Agg.
from matplotlib import pyplot as plt  # noqa: E402 - same.
from matplotlib.axes import Axes  # noqa: E402 - same.

HISTORY_DAYS = 120
SIZE_INCHES = (11, 4.2)
DOTS_PER_INCH = 110
SOLD_COLOUR = "#8a94a6"
FORECAST_COLOUR = "#0b6e99"
PEAK_SHARE = 0.98  # A taller axis than the highest of these days only flattens the others.


@dataclass(frozen=True)
class Point:
    """The forecast of one day in stock units, as the API gives it."""

    date: date
    mean: float
    lower_80: float
    upper_80: float
    lower_95: float
    upper_95: float


@dataclass(frozen=True)
class Picture:
    """What one chart shows."""

    title: str
    demand_class: str
    model: str
    sold: Sequence[tuple[date, float]]
    points: Sequence[Point]


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
    days = [day for day, _ in picture.sold]
    axes.bar(
        days, [n for _, n in picture.sold], width=0.85, color=SOLD_COLOUR, label="Sold", zorder=2
    )


def _draw_forecast(axes: Axes, picture: Picture) -> None:
    points = picture.points
    days = [point.date for point in points]
    for lower, upper, alpha, label in (
        ([p.lower_95 for p in points], [p.upper_95 for p in points], 0.16, "95 % interval"),
        ([p.lower_80 for p in points], [p.upper_80 for p in points], 0.30, "80 % interval"),
    ):
        axes.fill_between(
            days, lower, upper, color=FORECAST_COLOUR, alpha=alpha, linewidth=0, label=label
        )
    axes.plot(
        days, [p.mean for p in points], color=FORECAST_COLOUR, linewidth=2, label="Forecast"
    )
    axes.axvline(days[0], color="#444444", linewidth=1, linestyle=":", zorder=1)


def _label(axes: Axes, picture: Picture) -> None:
    axes.set_title(
        f"{picture.title}: {picture.demand_class} demand, model {picture.model}",
        loc="left",
        fontsize=12,
    )
    axes.set_ylabel("Units a day")
    axes.set_xlabel("Day")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    axes.grid(axis="y", color="#dddddd", zorder=0)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_locator(mpl_dates.MonthLocator())
    axes.xaxis.set_major_formatter(mpl_dates.DateFormatter("%b %Y"))
    axes.xaxis.set_minor_locator(mpl_dates.WeekdayLocator(mpl_dates.MO))
    axes.legend(loc="upper left", frameon=False, ncols=4)
