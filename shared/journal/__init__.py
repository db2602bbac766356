"""The journal: audit trail, transaction log and feed in one append-only table per service."""

from shared.journal.entries import Entry, JournalEntry
from shared.journal.record import record

__all__ = ["Entry", "JournalEntry", "record"]
