"""The journal: audit trail, transaction log and feed in one append-only table per service."""

from shared.journal.entries import (
    AccessDenied,
    ArchivedNumbers,
    DifferenceKind,
    Entry,
    JournalDigests,
    JournalEntry,
    JournalPage,
    JournalVerification,
)
from shared.journal.record import has_grown, mark_grown, record, record_many, stamp_of

__all__ = [
    "AccessDenied",
    "ArchivedNumbers",
    "DifferenceKind",
    "Entry",
    "JournalDigests",
    "JournalEntry",
    "JournalPage",
    "JournalVerification",
    "has_grown",
    "mark_grown",
    "record",
    "record_many",
    "stamp_of",
]
