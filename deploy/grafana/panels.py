"""A dashboard as a list of panels: in rows, none over another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

WIDTH: Final = 24
HEIGHTS: Final = {"stat": 4, "time": 8, "heat": 8}


class GridPlace(NamedTuple):
    """Where a panel lies, in the units of a sheet of `WIDTH`; from above."""

    x: int
    y: int
    width: int
    height: int


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


@dataclass(frozen=True)
class Board:
    """A dashboard: its name in addresses, its title, and its panels in their order."""

    uid: str
    title: str
    panels: Sequence[Panel] = field(default_factory=tuple)

    def places(self) -> Iterator[tuple[Panel, GridPlace]]:
        """Yield each panel with its place: side by side while there is room, then below."""
        x = y = height = 0
        for panel in self.panels:
            if x + panel.width > WIDTH:
                x, y, height = 0, y + height, 0
            place = GridPlace(x, y, panel.width, HEIGHTS[panel.kind])
            yield panel, place
            x, height = x + panel.width, max(height, place.height)
