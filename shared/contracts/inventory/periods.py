"""What inventory journals of periods."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from shared.journal import Entry


class PeriodClosed(Entry):
    """Nothing is recorded any more that happened until this day, by UTC."""

    name: ClassVar[str] = "inventory.period-closed.v1"
    subject_of: ClassVar[tuple[str, str]] = ("period", "period_id")
    period_id: UUID
    last_day: date
    note: str | None


class PeriodReopened(Entry):
    """The latest closed period was opened again."""

    name: ClassVar[str] = "inventory.period-reopened.v1"
    subject_of: ClassVar[tuple[str, str]] = ("period", "period_id")
    period_id: UUID
    last_day: date
    reason: str
