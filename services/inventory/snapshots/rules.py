"""How finely the ledger is summed, and up to where it can be."""

from datetime import datetime
from typing import NamedTuple

MOVEMENTS_EACH = 30_000  # Ledger rows of a tenant in one snapshot.
AT_ONCE = 4  # Snapshots that are cut off in one transaction.
ITEMS_AT_ONCE = 1_000  # That are summed in one transaction.
TOGETHER = 8  # Snapshots whose rows are summed together, by months.
BUSY_FROM = 100  # Rows of an item in one snapshot, from which on its days are summed as well.


class Horizon(NamedTuple):
    """A time, and a number of the ledger beyond which all lies that is recorded later."""

    known_at: datetime
    after_seq: int


class Recording(NamedTuple):
    """The database's time, and since when the oldest transaction that writes has been open."""

    now: datetime
    since: datetime | None
