"""Why a backup cannot be made, read or restored; each says in one line what to do next."""

from shared.sealed_files.errors import SafekeepingError

BackupError = SafekeepingError  # Whoever makes or restores backups is told all of it alike.


class NotReachable(BackupError):
    """No backup leads to the moment that is asked for."""


class SegmentMissing(NotReachable):
    """A file of the write-ahead log is not there, so nothing after it can be restored."""


class NothingProved(BackupError):
    """What was restored is not what was backed up, or does not verify."""
