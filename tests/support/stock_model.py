"""Stock as it should be, by the plainest reckoning there is: a list of all that ever moved.

What it is asked takes time in proportion to that list, and nothing is remembered beside it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

Level = tuple[str, str, str]  # Item, place and lot; the lot is empty where there are none.
EVERYTHING = "everything"


class Moved(NamedTuple):
    """What one movement did at one level, at its time."""

    level: Level
    at: datetime
    quantity: int


class Draw(NamedTuple):
    """What a movement would do at one level."""

    level: Level
    quantity: int


@dataclass
class Held:
    """What a line of a reservation holds at a level."""

    level: Level
    quantity: int


@dataclass
class Sheet:
    """What one person counted of some items at a place: of each the latest, and when."""

    place: str
    items: list[str]
    said: dict[Level, tuple[datetime, int]] = field(default_factory=dict)

    def enter(self, item: str, at: datetime, counted: int) -> None:
        """Note what was counted at an instant, unless it was counted again later."""
        level = item, self.place, ""
        if level not in self.said or at >= self.said[level][0]:
            self.said[level] = at, counted


@dataclass
class StockModel:
    """All that moved, and what is held."""

    moved: list[Moved] = field(default_factory=list)
    held: dict[str, list[Held]] = field(default_factory=dict)  # By reservation.
    in_transit: dict[str, list[Draw]] = field(default_factory=dict)  # By transfer.
    movements: dict[str, list[Moved]] = field(default_factory=dict)  # By id.
    reversed: set[str] = field(default_factory=set)
    sheets: dict[str, Sheet] = field(default_factory=dict)  # By count; the open ones.
    frozen: set[str] = field(default_factory=set)  # Items, places, or everything.

    def lay(self, level: Level, at: datetime | None = None) -> int:
        """Return what lay at a level at the end of an instant; now unless given."""
        return sum(m.quantity for m in self.moved if m.level == level and _is_by(m, at))

    def is_frozen(self, level: Level) -> bool:
        return not self.frozen.isdisjoint({*level[:2], EVERYTHING})

    def differences(self, sheet: Sheet) -> list[tuple[Draw, datetime]]:
        """Return what a sheet corrects, and as of when: what moved since stays."""
        return [
            (Draw(level, counted - self.lay(level, at)), at)
            for level, (at, counted) in sheet.said.items()
        ]

    def reserved(self, level: Level) -> int:
        """Return what is held at a level, or on its way there."""
        holds = (each for holds in self.held.values() for each in holds)
        transit = (each for draws in self.in_transit.values() for each in draws)
        return sum(each.quantity for each in (*holds, *transit) if each.level == level)

    def available(self, level: Level) -> int:
        return self.lay(level) - self.reserved(level)

    def lowest_from(self, level: Level, at: datetime) -> int:
        """Return the least that lay at a level at the instant or at any later one."""
        instants = {at} | {m.at for m in self.moved if m.level == level and m.at > at}
        return min(self.lay(level, each) for each in instants)

    def may_take(self, level: Level, at: datetime | None) -> int:
        """Return how much may be taken from a level at an instant; now unless given."""
        there = self.available(level)
        return there if at is None else max(0, min(there, self.lowest_from(level, at)))

    def can(self, draws: Iterable[Draw], at: datetime | None, held: int = 0) -> bool:
        """Say whether all of it can move at once; so much of what is reserved is held for it."""
        deltas: dict[Level, int] = defaultdict(int)
        for level, quantity in draws:
            deltas[level] += quantity
        return not any(map(self.is_frozen, deltas)) and all(
            quantity >= 0
            or (
                self.available(level) + held + quantity >= 0
                and (at is None or self.lowest_from(level, at) + quantity >= 0)
            )
            for level, quantity in deltas.items()
        )

    def first_out(
        self, levels: Iterable[Level], quantity: int, at: datetime | None
    ) -> list[Draw] | None:
        """Return what each level gives, in order, until there is enough; None if there is not."""
        draws, left = [], quantity
        for level in levels:
            part = min(left, self.may_take(level, at))
            if part > 0:
                draws.append(Draw(level, -part))
                left -= part
        return None if left else draws

    def record(self, movement: str, draws: Iterable[Draw], at: datetime) -> None:
        """Note a movement."""
        found = [Moved(level, at, quantity) for level, quantity in draws]
        self.moved += found
        self.movements.setdefault(movement, []).extend(found)

    def levels(self) -> dict[Level, tuple[int, int]]:
        """Return what lies and what is reserved wherever anything ever moved."""
        return {
            level: (self.lay(level), self.reserved(level))
            for level in {m.level for m in self.moved}
        }


def _is_by(moved: Moved, at: datetime | None) -> bool:
    return at is None or moved.at <= at
