"""The folder in which the backups of one cluster lie, and how a file gets into it whole.

base/<name>/base.tar.sealed      the database and the write-ahead log that it needs
base/<name>/manifest.json        signed; written last
wal/<timeline>/<segment>.sealed  the write-ahead log from then on
wal/<timeline>/partial.sealed    what there is of the file after the last one
wal/<timeline>/received.json     signed: how far it goes
erasures/<number>.json           signed: who was erased
evidence/                        what restores and drills came to
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import uuid4

from deploy.backups.errors import BackupError
from deploy.backups.manifest import Manifest, Received, read_signed
from deploy.backups.rules import is_segment
from deploy.local.private import private_folder
from shared.journal.keeper import sync_folder
from shared.sealed_files.keys import Keyring

SEALED = ".sealed"
BASE_FILE = f"base.tar{SEALED}"
MANIFEST = "manifest.json"
PARTIAL = f"partial{SEALED}"
RECEIVED = "received.json"
ERASURES = "erasures"
_PART = ".part"
_PRIVATE = 0o600


@dataclass(frozen=True)
class Repository:
    """The backups of one cluster."""

    folder: Path

    @classmethod
    def of(cls, backup_dir: Path, cluster: str) -> "Repository":
        return cls(private_folder(backup_dir.resolve()) / cluster)

    @property
    def cluster(self) -> str:
        return self.folder.name

    def base_path(self, name: str) -> Path:
        return self.folder / "base" / name / BASE_FILE

    def manifest_path(self, name: str) -> Path:
        return self.folder / "base" / name / MANIFEST

    def wal_folder(self, timeline: int) -> Path:
        return self.folder / "wal" / f"{timeline:08X}"

    def segment_path(self, name: str) -> Path:
        return self.folder / "wal" / name[:8] / f"{name}{SEALED}"

    def partial_path(self, timeline: int) -> Path:
        return self.wal_folder(timeline) / PARTIAL

    def received_path(self, timeline: int) -> Path:
        return self.wal_folder(timeline) / RECEIVED

    def erasures_path(self, number: int) -> Path:
        return self.folder / ERASURES / f"{number:06}.json"

    def erasures(self) -> list[int]:
        """Return the numbers of the files of the list of erasures, in order."""
        found = (self.folder / ERASURES).glob("*.json")
        return sorted(int(path.stem) for path in found if path.stem.isdecimal())

    @property
    def evidence(self) -> Path:
        return self.folder / "evidence"

    def names(self) -> list[str]:
        """Return the names of the backups, which have a manifest, oldest first."""
        found = (self.folder / "base").glob(f"*/{MANIFEST}")
        return sorted(path.parent.name for path in found)

    def manifests(self, keyring: Keyring) -> list[Manifest]:
        """Return the manifests of all backups, oldest first. Raises BackupError."""
        found = []
        for name in self.names():
            manifest = read_signed(Manifest, self.manifest_path(name), keyring)
            if (manifest.name, manifest.cluster) != (name, self.cluster):
                raise BackupError(
                    f"{self.manifest_path(name)} is that of {manifest.cluster} {manifest.name}: "
                    "somebody put it where it does not belong. Move it away."
                )
            found.append(manifest)
        return found

    def readable_manifests(
        self, keyring: Keyring, complain: Callable[[BackupError], None]
    ) -> list[Manifest]:
        """Return those that can be read, and say of the others why not."""
        found = []
        for name in self.names():
            try:
                found.append(read_signed(Manifest, self.manifest_path(name), keyring))
            except BackupError as error:
                complain(error)
        return found

    def timelines(self) -> list[int]:
        """Return the timelines of which anything is kept."""
        return sorted(int(path.name, 16) for path in (self.folder / "wal").glob("*/"))

    def segments(self, timeline: int) -> list[str]:
        """Return the names of the whole files of the write-ahead log that are kept, in order."""
        paths = self.wal_folder(timeline).glob(f"*{SEALED}")
        names = (path.name.removesuffix(SEALED) for path in paths)
        return sorted(name for name in names if is_segment(name))

    def received(self, timeline: int, keyring: Keyring) -> Received | None:
        """Return how far the write-ahead log is kept, None where it never was."""
        path = self.received_path(timeline)
        if not path.exists():
            return None
        found = read_signed(Received, path, keyring)
        if (found.cluster, found.timeline) != (self.cluster, timeline):
            raise BackupError(f"{path} is that of another timeline. Fetch it again.")
        return found


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that gets its name once it is whole and on the disk, or never.

    What is in the way of that, a full disk too, leaves nothing behind.
    """
    private_folder(path.parent)
    part = path.with_name(f".{path.name}.{uuid4().hex}{_PART}")
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, _PRIVATE)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file: whole, on the disk, or not at all."""
    with whole_file(path) as file:
        file.write(content)


def remove_parts(folder: Path) -> None:
    """Remove what a run that was killed has left; only while no other runs."""
    for path in folder.rglob(f".*{_PART}"):
        path.unlink(missing_ok=True)
