"""What closed periods refuse, and what is refused about periods."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from shared.errors import Conflict, NotFound, Unprocessable
from shared.i18n import N_


@dataclass(eq=False)
class InClosedPeriod(Conflict):
    """The movement is dated in a closed period; `open_from` is the earliest time allowed."""

    slug: ClassVar[str] = "period-closed"
    title: ClassVar[str] = N_("Period closed")
    detail: ClassVar[str] = N_(
        "The period is closed. Give a time from {open_from} on, or ask an administrator to reopen "
        "the period."
    )
    open_from: datetime


@dataclass(eq=False)
class PeriodNotOver(Unprocessable):
    """A period is closed ten minutes after its last day at the earliest."""

    slug: ClassVar[str] = "period-not-over"
    title: ClassVar[str] = N_("Period not over")
    detail: ClassVar[str] = N_(
        "The period until {last_day} is not over yet, by UTC. Give an earlier last_day, or wait."
    )
    last_day: date


@dataclass(eq=False)
class PeriodCovered(Conflict):
    """All days until then are closed already."""

    slug: ClassVar[str] = "period-covered"
    title: ClassVar[str] = N_("Closed already")
    detail: ClassVar[str] = N_(
        "All days until {closed_until} are closed already. Give a later last_day."
    )
    closed_until: date


@dataclass(eq=False)
class PeriodNotLast(Conflict):
    """Periods are reopened from the latest on."""

    slug: ClassVar[str] = "period-not-last"
    title: ClassVar[str] = N_("A later period is closed")
    detail: ClassVar[str] = N_(
        "The days until {closed_until} are closed. Reopen the later periods first."
    )
    closed_until: date


@dataclass(eq=False)
class PeriodNotFound(NotFound):
    """No period that is closed has this id."""

    slug: ClassVar[str] = "period-not-found"
    title: ClassVar[str] = N_("Period not found")
    detail: ClassVar[str] = N_(
        "No closed period has this id: it may be reopened already. List those that are closed."
    )
