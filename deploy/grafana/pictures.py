"""A dashboard as one picture, drawn from what Prometheus answers: for machines without Grafana."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import httpx
from matplotlib import dates as mpl_dates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from deploy.grafana.panels import WIDTH, Board, GridPlace, Panel
from deploy.grafana.units import shown

POINTS: Final = 240
DAY_S: Final = 86400
SHEET_INCHES: Final = 16.0
ROW_INCHES: Final = 0.44  # Of a unit of a panel's height.
HEAD_INCHES: Final = 0.6
DOTS_PER_INCH: Final = 80
LEGEND_ROWS: Final = 3
LETTERS: Final = 8  # Of a legend, in a unit of a panel's width.
TEXT, FAINT, GRID = "#1f2933", "#6b7785", "#e4e7eb"
GOOD, WARNING, BAD = "#1a7f37", "#b7791f", "#c53030"
LINES: Final = (
    "#0b6e99", "#d9822b", "#2f855a", "#9f3a8c", "#b83232", "#6554c0", "#8d6e00", "#3a9fbf",
    "#5a6b7b", "#e07a9a", "#7cb342", "#00695c",
)  # fmt: skip


class PanelSeries(NamedTuple):
    """A line: its name, and its value at each time, in days since 1970 as matplotlib counts."""

    name: str
    times: Sequence[float]
    values: Sequence[float]


def draw(board: Board, address: str, until_s: float, range_s: float) -> bytes:
    """Return the dashboard over the last `range_s` seconds as PNG.

    Raises httpx.HTTPError where Prometheus does not answer.
    """
    placed = list(board.places())
    rows = max(place.y + place.height for _, place in placed)
    height = rows * ROW_INCHES + HEAD_INCHES
    figure = Figure(figsize=(SHEET_INCHES, height), dpi=DOTS_PER_INCH, facecolor="white")
    until = datetime.fromtimestamp(until_s, UTC)
    figure.text(0.012, 1 - 0.2 / height, board.title, size=17, color=TEXT, weight="bold", va="top")
    said = f"{range_s / 60:.0f} minutes until {until:%Y-%m-%d %H:%M} UTC"
    figure.text(0.988, 1 - 0.24 / height, said, size=11, color=FAINT, ha="right", va="top")
    with httpx.Client(base_url=address, timeout=30) as client:
        for panel, place in placed:
            found = _ask(client, panel, until_s, range_s)
            axes = _axes_at(figure, place, height)
            _title(axes, panel)
            if not found:
                _blank(axes, "no data")
            elif panel.kind == "stat":
                _draw_figure(axes, panel, found)
            elif panel.kind == "heat":
                _draw_heat(axes, panel, found)
            else:
                _draw_lines(axes, panel, found, until_s, range_s)
    written = io.BytesIO()
    figure.savefig(written, format="png")
    return written.getvalue()


def _ask(client: httpx.Client, panel: Panel, until_s: float, range_s: float) -> list[PanelSeries]:
    found: list[PanelSeries] = []
    for legend, expression in panel.queries.items():
        asked: dict[str, str | float] = {
            "query": expression,
            "start": until_s - range_s,
            "end": until_s,
            "step": range_s / POINTS,
        }
        answer = client.get("/api/v1/query_range", params=asked).raise_for_status().json()
        found += [_series(legend, series) for series in answer["data"]["result"]]
    return sorted((each for each in found if each.values), key=lambda series: series.name)


def _series(legend: str, told: dict[str, Any]) -> PanelSeries:
    name = legend
    for label, value in told["metric"].items():
        name = name.replace(f"{{{{{label}}}}}", value)
    points = [(at / DAY_S, float(value)) for at, value in told["values"] if value != "NaN"]
    return PanelSeries(name, [at for at, _ in points], [value for _, value in points])


def _axes_at(figure: Figure, place: GridPlace, height: float) -> Axes:
    """Return the axes of a panel: below its title, above its legend."""
    is_small = place.height < 6  # noqa: PLR2004 - half of what lines have.
    left, right, above, below = (0.14, 0.14, 0.62, 0.1) if is_small else (0.95, 0.35, 0.78, 0.85)
    inch = SHEET_INCHES / WIDTH
    top = HEAD_INCHES + place.y * ROW_INCHES + above
    bottom = HEAD_INCHES + (place.y + place.height) * ROW_INCHES - below
    return figure.add_axes(
        (
            (place.x * inch + left) / SHEET_INCHES,
            1 - bottom / height,
            (place.width * inch - left - right) / SHEET_INCHES,
            (bottom - top) / height,
        )
    )


def _title(axes: Axes, panel: Panel) -> None:
    told = ", ".join(f"{word} {shown(value, panel.unit)}" for word, value, _ in _limits(panel))
    if panel.kind != "stat":
        told = f"{panel.description} {told[:1].upper()}{told[1:]}".strip()
    _write_above(axes, panel.title, 22, size=12, color=TEXT, weight="bold")
    _write_above(axes, told, 8, size=8.5, color=FAINT)


def _write_above(axes: Axes, text: str, points: float, **font: Any) -> None:  # noqa: ANN401 - what matplotlib takes.
    axes.annotate(
        text, (0, 1), xytext=(0, points), xycoords="axes fraction",
        textcoords="offset points", annotation_clip=False, **font,
    )  # fmt: skip


def _limits(panel: Panel) -> list[tuple[str, float, str]]:
    """Return the thresholds with their words and colours."""
    way = "below" if panel.less_is_bad else "from"
    limits = (("warning", panel.warns_from, WARNING), ("bad", panel.bad_from, BAD))
    return [(f"{word} {way}", value, colour) for word, value, colour in limits if value is not None]


def _blank(axes: Axes, text: str) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", color=FAINT, size=11,
              transform=axes.transAxes)  # fmt: skip


def _draw_figure(axes: Axes, panel: Panel, found: list[PanelSeries]) -> None:
    """Draw the newest value, in the colour of its threshold, over its course."""
    value = found[0].values[-1]
    colour = GOOD if _limits(panel) else TEXT
    for _, limit, worse in _limits(panel):
        if value < limit if panel.less_is_bad else value >= limit:
            colour = worse
    _blank(axes, "")
    axes.text(0.5, 0.62, shown(value, panel.unit), ha="center", va="center", color=colour,
              size=25, weight="bold", transform=axes.transAxes)  # fmt: skip
    course = axes.inset_axes((0.04, 0.0, 0.92, 0.26))
    course.set_axis_off()
    course.plot(found[0].times, found[0].values, color=colour, linewidth=1.2, alpha=0.7)


def _draw_lines(
    axes: Axes, panel: Panel, found: list[PanelSeries], until_s: float, range_s: float
) -> None:
    columns = _columns_of(panel, found)
    if len(found) > columns * LEGEND_ROWS:  # Not all can be named: the greatest are.
        found = sorted(found, key=lambda series: -max(series.values))
    for number, series in enumerate(found):
        axes.plot(series.times, series.values, color=LINES[number % len(LINES)], linewidth=1.4)
    greatest = max(max(series.values) for series in found)
    least = min(min(series.values) for series in found)
    top = panel.top or max(greatest, 0.0) * 1.1 or 1.0
    axes.set_ylim(min(least * 1.1, 0.0), top * (1.05 if panel.top else 1.0))
    axes.set_xlim((until_s - range_s) / DAY_S, until_s / DAY_S)
    lines = axes.get_lines()[: columns * LEGEND_ROWS]
    names = [series.name for series in found[: len(lines)]]
    if len(found) > len(lines):
        names[-1] = f"and {len(found) - len(lines) + 1} more"
    axes.legend(
        lines, names, loc="upper left", bbox_to_anchor=(-0.02, -0.1), ncols=columns,
        frameon=False, fontsize=8, handlelength=1.2, columnspacing=1.2, labelcolor=TEXT,
        borderaxespad=0,
    )  # fmt: skip
    for _, limit, colour in _limits(panel):
        if limit <= axes.get_ylim()[1]:
            axes.axhline(limit, color=colour, linewidth=1, linestyle="--")
    _dress(axes, panel)


def _columns_of(panel: Panel, found: list[PanelSeries]) -> int:
    """Return how many names stand side by side below a panel."""
    letters = max(len(series.name) for series in found) + 6  # The line before, the gap behind.
    return max(1, panel.width * LETTERS // letters)


def _draw_heat(axes: Axes, panel: Panel, found: list[PanelSeries]) -> None:
    """Draw how many fell between two bounds of a histogram: the darker, the more."""
    bounds = sorted(found, key=lambda series: float(series.name.replace("+Inf", "inf")))
    times = sorted({at for series in bounds for at in series.times})
    below = [0.0] * len(times)
    rows = []
    for series in bounds:
        known = dict(zip(series.times, series.values, strict=True))
        counts = [known.get(at, 0.0) for at in times]
        rows.append([max(new - old, 0.0) for new, old in zip(counts, below, strict=True)])
        below = counts
    mesh = axes.pcolormesh(times, range(len(rows)), rows, cmap="Blues", shading="nearest")
    axes.figure.colorbar(mesh, ax=axes, pad=0.01, fraction=0.03).ax.tick_params(labelsize=8)
    axes.set_yticks(range(0, len(rows), 2))
    _dress(axes, panel)
    axes.set_yticklabels([
        "more" if series.name == "+Inf" else f"≤ {shown(float(series.name), panel.unit)}"
        for series in bounds[::2]
    ])  # fmt: skip


def _dress(axes: Axes, panel: Panel) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID)
    axes.tick_params(colors=FAINT, labelsize=8.5, length=0)
    if panel.kind != "heat":
        axes.grid(axis="y", color=GRID)
        axes.set_axisbelow(True)
        is_whole = panel.unit == "short"
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=is_whole and _is_large(axes)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: shown(value, panel.unit)))
    axes.xaxis.set_major_locator(mpl_dates.AutoDateLocator(maxticks=8))  # type: ignore[no-untyped-call]  # its gap.
    axes.xaxis.set_major_formatter(mpl_dates.DateFormatter("%H:%M"))  # type: ignore[no-untyped-call]  # its gap.


def _is_large(axes: Axes) -> bool:
    """Say whether whole numbers are enough to tell values apart."""
    return axes.get_ylim()[1] >= 4  # noqa: PLR2004 - fewer would leave two lines of the grid.
