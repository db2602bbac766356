"""The newest checkpoint that was seen, kept beside the database: what was cut off there shows."""

import os
from pathlib import Path

from shared.journal.notes import CheckpointNote, NoteKey

PRIVATE = 0o600


class Keeper:
    """Remembers a journal's newest checkpoint, in memory and, given a folder, in a file there."""

    def __init__(self, key: NoteKey, folder: Path | None = None) -> None:
        self._key = key
        self._newest: CheckpointNote | None = None
        self.path = folder / f"{key.origin.rpartition('/')[2]}.checkpoint" if folder else None

    def newest(self) -> CheckpointNote | None:
        """Return the newest one kept. Raises NoteInvalid if the file holds something else."""
        if self.path is not None and self.path.exists():
            kept = self._key.read(self.path.read_text())
            if self._newest is None or kept.number > self._newest.number:
                self._newest = kept
        return self._newest

    def keep(self, written: str) -> None:
        """Keep a signed note if it is newer than what is kept. Raises NoteInvalid, OSError."""
        note = self._key.read(written)
        kept = self.newest()
        if kept is not None and kept.number >= note.number:
            return
        self._newest = note
        if self.path is not None:
            write_private(self.path, written.encode())


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads: whole, on the disk, or not at all."""
    make_private(path.parent)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def make_private(folder: Path) -> None:
    """Make a folder that its owner alone enters, and so those above it that are missing."""
    if not folder.parent.exists():
        make_private(folder.parent)
    folder.mkdir(exist_ok=True, mode=0o700)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
