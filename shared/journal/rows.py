"""Months of other rows than a journal's, which leave their table by the same runs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

RowAction = Literal["detach", "drop"]


@dataclass(frozen=True, slots=True)
class RowMonth:
    """A month of rows that is old enough to be detached, or detached for long enough to go."""

    action: RowAction
    month: date
    since: date  # The first day on which anything happened that they tell of.
    rows: int
    tenants: tuple[str, ...]  # Whose rows they are.
    need: str | None = None  # Why it must stay.


class RowKeeper(Protocol):
    """What a service lets retention do with rows that its journal tells of.

    They leave in the order of their months, and their journal keeps their entries.
    """

    kind: str  # As it is told of: "movements".

    async def list_due(self, now: datetime) -> Sequence[RowMonth]:
        """Return what is due, the oldest first."""
        ...

    async def is_verified(self, tenants: Collection[str]) -> bool:
        """Say whether all is as it must be, by the journal, of these tenants."""
        ...

    async def detach(self, month: date) -> None:
        """Take a month out of its table, whole, or raise DBAPIError."""
        ...

    async def drop(self, month: date) -> None:
        """Drop a month's table, or raise DBAPIError."""
        ...
