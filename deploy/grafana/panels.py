"""A dashboard as a list of panels, and what Grafana makes of it: in rows, none over another."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from grafana_foundation_sdk.builders import dashboard, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.models import dashboard as models

WIDTH: Final = 24
SOURCE: Final = "prometheus"  # The uid of the data source that is provisioned.
HEIGHTS: Final = {"stat": 4, "time": 8, "heat": 8}
GREEN, YELLOW, RED = "green", "yellow", "red"


@dataclass(frozen=True)
class Panel:
    """What is shown, in which unit, and from where on it is bad.

    `warns_from` and `bad_from` are thresholds; with `less_is_bad` they count downwards. `legend`
    is a template of labels.
    """

    title: str
    description: str
    unit: str
    queries: dict[str, str]  # By legend.
    kind: str = "time"
    width: int = 12
    warns_from: float | None = None
    bad_from: float | None = None
    less_is_bad: bool = False
    top: float | None = None

    def steps(self) -> list[models.Threshold]:
        """Return the colours, from the least value up."""
        limits = [each for each in (self.warns_from, self.bad_from) if each is not None]
        colours = [GREEN, *((YELLOW, RED) if len(limits) > 1 else (RED,) * len(limits))]
        if self.less_is_bad:
            limits, colours = limits[::-1], colours[::-1]
        values = (None, *limits)
        return [
            models.Threshold(color=colour, value=value)
            for colour, value in zip(colours, values, strict=True)
        ]


@dataclass(frozen=True)
class Board:
    """A dashboard: its name in addresses, its title, and its panels in their order."""

    uid: str
    title: str
    panels: Sequence[Panel] = field(default_factory=tuple)


def build(board: Board) -> models.Dashboard:
    """Return the dashboard for Grafana."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .tags(["stockwright"])
        .timezone("utc")
        .time("now-1h", "now")
        .refresh("30s")
        .readonly()
    )
    x = y = height = 0
    for number, panel in enumerate(board.panels, 1):
        if x + panel.width > WIDTH:
            x, y, height = 0, y + height, 0
        tall = HEIGHTS[panel.kind]
        position = models.GridPos(h=tall, w=panel.width, x=x, y=y)
        made.with_panel(_drawn(panel).id(number).grid_pos(position))
        x, height = x + panel.width, max(height, tall)
    return made.build()


def _drawn(panel: Panel) -> stat.Panel | timeseries.Panel | heatmap.Panel:
    made: stat.Panel | timeseries.Panel | heatmap.Panel
    if panel.kind == "stat":
        made = stat.Panel()
    elif panel.kind == "heat":
        made = heatmap.Panel()
    else:
        made = timeseries.Panel()
    made = made.title(panel.title).description(panel.description).unit(panel.unit)
    made = made.datasource(models.DataSourceRef(type_val="prometheus", uid=SOURCE))
    thresholds = dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE)
    made = made.thresholds(thresholds.steps(panel.steps()))
    if panel.top is not None:
        made = made.min(0).max(panel.top)
    for letter, (legend, expression) in zip("ABCDEFGH", panel.queries.items(), strict=False):
        query = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(letter)
        made = made.with_target(query.exemplar(panel.unit == "s"))
    return made
