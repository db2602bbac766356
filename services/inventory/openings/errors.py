"""What is refused because the ledger begins later."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.errors import Problem
from shared.i18n import N_


@dataclass(eq=False)
class MovementsArchived(Problem):
    """What is asked for was moved before the ledger begins; `kept_from` is when that is."""

    status = 410
    slug: ClassVar[str] = "movements-archived"
    title: ClassVar[str] = N_("Archived")
    detail: ClassVar[str] = N_(
        "Movements from before {kept_from} have left the ledger. Ask for a time from then on, or "
        "read them in the journal or its archives."
    )
    kept_from: datetime


@dataclass(eq=False)
class DatedBeforeLedger(MovementsArchived):
    """A movement is dated before the ledger begins."""

    detail: ClassVar[str] = N_(
        "Movements from before {kept_from} have left the ledger, and none is recorded among them "
        "any more. Give a time from then on."
    )
