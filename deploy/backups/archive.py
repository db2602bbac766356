"""Reading the tar that pg_basebackup writes, each file proved by the manifest inside it."""

import hashlib
import json
import os
import tarfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol

from deploy.backups.rules import read_lsn
from shared.sealed_files.errors import FileDamaged

BACKUP_MANIFEST = "backup_manifest"
_READ_BYTES = 1 << 20
_DIRECTORY_MODE = 0o700
_FILE_MODE = 0o600


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


@dataclass
class Contents:
    """What a base backup holds."""

    timeline: int = 0
    start_lsn: int = 0
    end_lsn: int = 0
    hashes: dict[str, str] = field(default_factory=dict)
    folders: int = 0


def verify_archive(source: Readable, where: str) -> Contents:
    """Read all of it, prove every file and return what it says. Raises FileDamaged."""
    return _read(source, where, lambda _name: nullcontext(None), lambda _name: None)


def extract_archive(source: Readable, target: Path, where: str) -> Contents:
    """Write its files below `target`, private to this account. Raises FileDamaged, OSError."""

    def open_for(name: str) -> AbstractContextManager[IO[bytes]]:
        path = target / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        return os.fdopen(descriptor, "wb")

    def make(name: str) -> None:
        (target / name).mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)

    return _read(source, where, open_for, make)


def _read(
    source: Readable,
    where: str,
    open_for: Callable[[str], AbstractContextManager[IO[bytes] | None]],
    make: Callable[[str], None],
) -> Contents:
    contents = Contents()
    said: dict[str, Any] | None = None
    try:
        with tarfile.open(fileobj=source, mode="r|", bufsize=_READ_BYTES) as archive:  # type: ignore[call-overload]  # It only reads.
            for member in archive:
                name = _safe(member, where)
                if member.isdir():
                    make(name)
                    contents.folders += 1
                    continue
                stream = archive.extractfile(member)
                if stream is None:
                    raise FileDamaged(f"{where} is damaged: {name} is no plain file.")
                if name == BACKUP_MANIFEST:
                    said = json.loads(stream.read())
                    continue
                with open_for(name) as target:
                    contents.hashes[name] = _copy(stream, target)
    except (tarfile.TarError, ValueError) as error:
        raise FileDamaged(f"{where} is damaged: it is not a whole archive ({error}).") from error
    if said is None:
        raise FileDamaged(f"{where} is damaged: it ends before its list of files.")
    _compare(said, contents, where)
    while source.read(_READ_BYTES):  # Zeros behind the archive; all of it is to be proved.
        continue
    return contents


def _safe(member: tarfile.TarInfo, where: str) -> str:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or not (member.isdir() or member.isreg()):
        raise FileDamaged(f"{where} holds {member.name}, which is no file of a database.")
    return str(path)


def _copy(stream: IO[bytes], target: IO[bytes] | None) -> str:
    found = hashlib.sha256()
    while piece := stream.read(_READ_BYTES):
        found.update(piece)
        if target is not None:
            target.write(piece)
    return found.hexdigest()


def _compare(said: dict[str, Any], contents: Contents, where: str) -> None:
    """Hold the files against PostgreSQL's own list; the log that came along is not in it."""
    for entry in said["Files"]:
        name = entry["Path"]
        if entry.get("Checksum-Algorithm") != "SHA256":
            raise FileDamaged(f"{where} lists {name} without a SHA-256.")
        if contents.hashes.get(name) != entry["Checksum"]:
            raise FileDamaged(f"{where} is damaged: {name} is not as PostgreSQL listed it.")
    listed = {entry["Path"] for entry in said["Files"]}
    more = [n for n in contents.hashes if n not in listed and not n.startswith("pg_wal/")]
    if more:
        raise FileDamaged(f"{where} holds {more[0]}, which PostgreSQL did not list.")
    [wal] = said["WAL-Ranges"]
    contents.timeline = int(wal["Timeline"])
    contents.start_lsn, contents.end_lsn = read_lsn(wal["Start-LSN"]), read_lsn(wal["End-LSN"])
