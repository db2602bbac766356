"""The folder of archives: a sealed file for each month of a journal, and its manifest, last.

<folder>/inventory/2019-03.jsonl.sealed    the entries as lines (`archive.py`), in the feed's order
<folder>/inventory/2019-03.json            what the file holds, signed: without it there is none
"""

import hashlib
import os
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from shared.journal.archived import ArchiveForged, ArchiveManifest, parse_manifest
from shared.journal.keeper import PRIVATE, make_private, sync_folder, write_private
from shared.journal.notes import NoteKey
from shared.sealed_files.errors import FileDamaged, FileTruncated
from shared.sealed_files.form import CHUNK_BYTES, FileLabel, SealedReader, SealedWriter
from shared.sealed_files.keys import Keyring

LEVEL = 9  # zstd: written once and kept for years.


class Written(NamedTuple):
    """What a manifest says of its file."""

    sha256: str
    content_sha256: str


class ArchiveFolder:
    """Writes and reads the archives of one service's journal."""

    def __init__(self, path: Path, service: str, keyring: Keyring) -> None:
        self.path = path / service
        self._service = service
        self._keyring = keyring

    def at(self, path: Path) -> "ArchiveFolder":
        """Return the same service's archives in another folder, as of a copy."""
        return ArchiveFolder(path, self._service, self._keyring)

    def file_of(self, month: date) -> Path:
        return self.path / f"{month:%Y-%m}.jsonl.sealed"

    def manifest_of(self, month: date) -> Path:
        return self.path / f"{month:%Y-%m}.json"

    def find_manifest(self, month: date, key: NoteKey) -> ArchiveManifest | None:
        """Return what lies there for a month, None for nothing. Raises FileDamaged."""
        path = self.manifest_of(month)
        if not path.exists():
            return None
        try:
            return parse_manifest(path.read_text(), key)
        except (ArchiveForged, UnicodeDecodeError) as error:
            raise FileDamaged(f"{path} is damaged: {error}.") from error

    def begin(self, month: date, made_at: datetime) -> "ArchiveWriter":
        """Begin the file of a month, under a name that no reader looks at."""
        make_private(self.path)
        return ArchiveWriter(self.file_of(month), self._keyring, self._label(month), made_at)

    def keep_manifest(self, month: date, written: str) -> None:
        """Write the manifest: from now on the archive is there."""
        write_private(self.manifest_of(month), written.encode())

    def read(self, manifest: ArchiveManifest) -> Iterator[list[str]]:
        """Give the lines of an archive, some thousand at once, each proved.

        Raises FileDamaged, FileTruncated, KeyIsWrong, OSError.
        """
        path = self.file_of(manifest.month)
        hashed = hashlib.sha256()
        for content in self._pieces(path, manifest.month):
            hashed.update(content.encode())
            yield [f"{line}\n" for line in content.split("\n")[:-1]]
        if hashed.hexdigest() != manifest.content_sha256:
            raise FileDamaged(f"{path} is damaged: it is not the one that its manifest names.")

    def _pieces(self, path: Path, month: date) -> Iterator[str]:
        """Give the content in pieces of whole lines."""
        with path.open("rb") as file:
            reader = SealedReader(file, self._keyring, self._label(month), where=str(path))
            rest = b""
            while piece := reader.read(CHUNK_BYTES):
                whole, newline, after = (rest + piece).rpartition(b"\n")
                rest = after
                if newline:
                    yield (whole + newline).decode()
        if rest:
            raise FileTruncated(f"{path} is truncated: its last line is not whole.")

    def _label(self, month: date) -> FileLabel:
        return FileLabel("archive", self._service, f"journal-{month:%Y-%m}")


class ArchiveWriter:
    """A file that is not there for anybody before `finish`."""

    def __init__(self, path: Path, keyring: Keyring, label: FileLabel, made_at: datetime) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.part")
        self._part.unlink(missing_ok=True)
        self._file = self._part.open("xb")
        self._part.chmod(PRIVATE)
        self._sealed = SealedWriter(self._file, keyring, label, made_at=made_at, level=LEVEL)
        self._content = hashlib.sha256()

    def write(self, lines: list[str]) -> None:
        content = "".join(lines).encode()
        self._content.update(content)
        self._sealed.write(content)

    def finish(self) -> Written:
        """Put the file in its place, on the disk."""
        self._sealed.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._path)
        sync_folder(self._path.parent)
        return Written(self._sealed.sha256, self._content.hexdigest())

    def abandon(self) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)
