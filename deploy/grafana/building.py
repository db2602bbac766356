"""What Grafana makes of a dashboard: the JSON that it is provisioned with."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from deploy.grafana.panels import Board, Panel

SOURCE: Final = "prometheus"  # The uid of the data source that is provisioned.
GREEN, YELLOW, RED = "green", "yellow", "red"


def as_json(board: Board) -> str:
    """Return the dashboard as the file that Grafana reads."""
    return f"{JSONEncoder(sort_keys=True, indent=1).encode(build(board))}\n"


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
    for number, (panel, place) in enumerate(board.places(), 1):
        position = models.GridPos(h=place.height, w=place.width, x=place.x, y=place.y)
        made.with_panel(_drawn(panel).id(number).grid_pos(position))
    return made.build()


def _steps(panel: Panel) -> list[models.Threshold]:
    """Return the colours, from the least value up."""
    limits = [each for each in (panel.warns_from, panel.bad_from) if each is not None]
    colours = [GREEN, *((YELLOW, RED) if len(limits) > 1 else (RED,) * len(limits))]
    if panel.less_is_bad:
        limits, colours = limits[::-1], colours[::-1]
    return [
        models.Threshold(color=colour, value=value)
        for colour, value in zip(colours, (None, *limits), strict=True)
    ]


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
    made = made.thresholds(thresholds.steps(_steps(panel)))
    if panel.top is not None:
        made = made.min(0).max(panel.top)
    for letter, (legend, expression) in zip("ABCDEFGH", panel.queries.items(), strict=False):
        query = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(letter)
        made = made.with_target(query.exemplar(panel.unit == "s"))
    return made
