from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.money import DecimalText
from shared.schemas import Output


class Checked(Output):
    levels: int
    movements: int
    entries: int = Field(description="Journal entries of movements.")


class StockDifferenceRead(Output):
    """One place where two records of the same stock disagree."""

    kind: Literal[
        "level",
        "level_time",
        "balance",
        "past",
        "entry_missing",
        "entry_differs",
        "entry_unreadable",
        "movement_missing",
    ] = Field(description="past: stock below zero at `occurred_at`, in the order of business time.")
    item_id: UUID | None
    location_id: UUID | None
    movement_id: UUID | None
    expected: DecimalText | None
    found: DecimalText | None
    occurred_at: datetime | None
    journal_seq: int | None = Field(description="The number of an entry that cannot be read.")


class VerificationRead(Output):
    """Whether levels, ledger and journal agree; there must be no differences."""

    ok: bool
    checked: Checked
    differences: list[StockDifferenceRead]
