"""What inventory journals of the ledger's beginning."""

from datetime import date, datetime
from typing import ClassVar

from shared.journal import Entry


class OpeningRecorded(Entry):
    """The rows of a month left the ledger; opening balances say what they came to.

    `digest` is a SHA-256 of these, a line for each level in the order of the ids: item, location
    and lot, quantity, rows, when the first and the last happened in microseconds, and when it was
    last counted, `-` for never. The rows stay in the journal, by which the balances are proved.
    """

    name: ClassVar[str] = "inventory.opening-recorded.v1"
    subject_of: ClassVar[tuple[str, str]] = ("month", "month")
    month: date  # Its first day; of recording, in UTC.
    movements: int  # Rows of the ledger.
    levels: int  # At which they were.
    since: datetime  # From when on the ledger can be asked: none of them happened later.
    digest: str
