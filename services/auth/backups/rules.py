"""How backups stand, by what the journal has of them."""

from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

BackupState: TypeAlias = Literal["none", "made", "failed", "late"]

LATE_AFTER: Final = timedelta(hours=26)  # As the alert NoBackup has it.


def state_of(
    last_made_at: datetime | None, last_failed_at: datetime | None, now: datetime
) -> BackupState:
    """Return how backups stand: where none was ever made, none can be late.

    A try that failed counts until one is made; being late counts before that.
    """
    if last_made_at is not None and now - last_made_at > LATE_AFTER:
        return "late"
    if last_failed_at is not None and (last_made_at is None or last_failed_at > last_made_at):
        return "failed"
    return "none" if last_made_at is None else "made"
