from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.journal import DifferenceKind
from shared.money import DecimalText
from shared.schemas import Output, QueryModel


class Checked(Output):
    levels: int
    movements: int
    entries: int = Field(description="Journal entries of movements.")
    archived_movements: int = Field(
        description="Movements that left the ledger, of whose months openings say what they came "
        "to; their entries are in the journal.",
        examples=[0],
    )


class StockDifferenceRead(Output):
    """One place where two records of the same stock disagree."""

    kind: Literal[
        "level",
        "level_time",
        "reserved",
        "hold_time",
        "level_lot",
        "serial_twice",
        "balance",
        "past",
        "in_transit",
        "snapshot",
        "entry_missing",
        "entry_differs",
        "entry_unreadable",
        "movement_missing",
        "movement_twice",
        "opening",
        "opening_balance",
        "price",
        "price_in_force",
        "count_entry_missing",
        "count_entry_unjournaled",
        "count_entry_differs",
        "count_call_differs",
    ] = Field(
        description="level_lot: of no lot of its item. serial_twice: in two places at "
        "`occurred_at`. past: stock below zero at `occurred_at`, in "
        "the order of business time. "
        "in_transit: what lies there is not what was dispatched. "
        "snapshot: a sum of the ledger by which the past is answered is not what it was made of. "
        "opening: what a month came to that left the ledger is not as it was journaled; "
        "opening_balance: nor what the journal says that moved there in it. "
        "price: a cost or price is not as it was journaled. price_in_force: an item's cost or "
        "price is not the last that was set. count_entry_*: what was entered into a count was "
        "removed, inserted or changed. count_call_differs: the entries of one call are not in "
        "their order."
    )
    item_id: UUID | None
    location_id: UUID | None
    lot_id: UUID | None = Field(description="All zeros: of no lot.")
    movement_id: UUID | None
    expected: DecimalText | None
    found: DecimalText | None
    occurred_at: datetime | None
    price_id: UUID | None = Field(description="The cost or price that differs.")
    count_id: UUID | None = Field(description="The count of an entry that differs.")
    count_entry_id: UUID | None = Field(description="That entry.")
    journal_seq: int | None = Field(
        description="The number of a journal entry that cannot be read, or by which an entry of a "
        "count was journaled."
    )


class ChainDifferenceRead(Output):
    """The first place where the journal is not what was sealed."""

    kind: DifferenceKind
    checkpoint: int
    seq: int | None
    entry_id: UUID | None
    archive: str | None = Field(
        description="The month in whose archive it is, as 2019-03.", examples=[None]
    )


class ArchiveRead(Output):
    """How a month that left the journal was proved."""

    month: date = Field(description="Its first day.", examples=["2019-03-01"])
    entries: int
    state: Literal["read", "signed", "missing", "unreadable"] = Field(
        description="read: every line of the archive is as sealed. signed: taken from its signed "
        "manifest, unread. missing: it is not in the folder. unreadable: it does not open.",
        examples=["signed"],
    )
    reason: str | None = Field(description="Why it was not read.", examples=[None])


class ChainRead(Output):
    """Whether the journal that the ledger is compared with is as it was sealed."""

    ok: bool
    entries: int = Field(description="Entries, of all tenants, that are as sealed.")
    first_difference: ChainDifferenceRead | None = Field(examples=[None])
    archives: list[ArchiveRead] = Field(description="Months that left the journal.")


class VerificationQuery(QueryModel):
    """How much to verify."""

    full: bool = Field(
        default=True,
        description="false: of the journal's checkpoints only those since the last verification "
        "by a worker. Stock is recomputed from all of the ledger either way.",
    )
    archives: bool = Field(
        default=False,
        description="true: entries that retention moved into archives are read there too. Else the "
        "signed manifest of each archive is taken for what is in it, and `archives` says so.",
    )


class VerificationRead(Output):
    """Whether levels, ledger, prices and journal agree; there must be no differences."""

    ok: bool = Field(description="No differences, and the journal is as sealed.")
    checked: Checked
    differences: list[StockDifferenceRead]
    journal: ChainRead
