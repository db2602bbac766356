"""What auth's journal keeps of backups, as a matter of the default tenant; their job writes it."""

from datetime import datetime
from typing import ClassVar

from shared.journal import Entry


class AboutBackup(Entry):
    subject_of: ClassVar[tuple[str, str]] = ("backup", "backup")
    backup: str  # Its name, as 20261120T020000Z.
    cluster: str  # PostgreSQL's system identifier.


class BackupMade(AboutBackup):
    """A base backup was made and read back whole."""

    name: ClassVar[str] = "auth.backup-made.v1"
    ended_at: datetime
    size_bytes: int
    sha256: str
    duration_s: float


class BackupFailed(AboutBackup):
    """No base backup came of a try; those that were there are there still."""

    name: ClassVar[str] = "auth.backup-failed.v1"
    error: str
    duration_s: float


class BackupRestored(AboutBackup):
    """The database was restored: what is newer than `last_commit` is not in it."""

    name: ClassVar[str] = "auth.backup-restored.v1"
    asked_for: str | None
    reached_lsn: str | None
    last_commit: str | None
    duration_s: float


class BackupDrilled(AboutBackup):
    """A restore was rehearsed in a folder of its own."""

    name: ClassVar[str] = "auth.backup-drilled.v1"
    ok: bool
    error: str | None
    last_commit: str | None
    duration_s: float


class BackupExported(AboutBackup):
    """All data were written into one sealed file, to be brought to another server."""

    name: ClassVar[str] = "auth.backup-exported.v1"
    size_bytes: int
    sha256: str
    duration_s: float


class BackupImported(AboutBackup):
    """All data came from an export: what is newer than `made_at` is not in them."""

    name: ClassVar[str] = "auth.backup-imported.v1"
    made_at: datetime
    release: str
    duration_s: float
