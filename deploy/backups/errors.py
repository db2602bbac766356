"""Why a backup cannot be made, read or restored; each says in one line what to do next."""


class BackupError(Exception):
    """Something about backups went wrong; nothing that is in use was touched."""


class KeyIsWrong(BackupError):
    """The file is whole as far as can be told, but was sealed with another key."""


class FileDamaged(BackupError):
    """The file is not what was written: changed, swapped, or longer than it was."""


class FileTruncated(BackupError):
    """The file ends before what was written does."""


class NotReachable(BackupError):
    """No backup leads to the moment that is asked for."""


class SegmentMissing(NotReachable):
    """A file of the write-ahead log is not there, so nothing after it can be restored."""


class NothingProved(BackupError):
    """What was restored is not what was backed up, or does not verify."""
