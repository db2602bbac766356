"""The copy of the backups elsewhere: any place that fsspec reaches.

A file is written within a transaction of fsspec, since without one what was written until an error
is stored as if it were whole. It is read back and compared by its own SHA-256. Manifests go last.
Nothing is ever removed there: credentials that cannot delete are the better ones, and the remote's
own rules of lifetime do it.
"""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

import fsspec

from deploy.backups.errors import BackupError
from deploy.backups.repository import (
    BASE_FILE,
    ERASURES,
    MANIFEST,
    PARTIAL,
    RECEIVED,
    SEALED,
    Repository,
    whole_file,
)
from shared.sealed_files.errors import FileDamaged

_READ_BYTES = 1 << 20
_CHANGING = (PARTIAL, RECEIVED)


class Remote:
    """Where the copy of one cluster's backups lies."""

    def __init__(self, url: str, cluster: str, options: dict[str, Any] | None = None) -> None:
        """Take an address such as s3://bucket/folder. Raises BackupError."""
        try:
            self._fs, root = fsspec.core.url_to_fs(url, **(options or {}))
        except (ImportError, ValueError) as error:
            raise BackupError(
                f"BACKUP_REMOTE cannot be used: {error}. Its kinds and what each needs are in "
                "docs/operations.md."
            ) from error
        self._root = PurePosixPath(root) / cluster
        self._stored: dict[str, tuple[int, int]] | None = None  # Size and time of what is there.

    def store(self, repository: Repository, *, only_log: bool = False) -> int:
        """Copy what the remote lacks; return how many files that were. Raises BackupError."""
        stored = 0
        for path in _list_log(repository) if only_log else _list_all(repository):
            name = str(path.relative_to(repository.folder))
            try:
                found = path.stat()
            except FileNotFoundError:
                continue
            if self._has(name, found.st_size, found.st_mtime_ns):
                continue
            self._put(path, name)
            self._known()[name] = found.st_size, found.st_mtime_ns
            stored += 1
        return stored

    def fetch(self, repository: Repository, name: str) -> None:
        """Fetch one file that the repository lacks; it is proved when it is opened."""
        target = repository.folder / name
        with self._naming(name), whole_file(target) as file, self._open(name, "rb") as source:
            shutil.copyfileobj(source, file, _READ_BYTES)

    def names(self) -> list[str]:
        """Return the names of all files that are there."""
        return sorted(self._known())

    def _has(self, name: str, size: int, changed_ns: int) -> bool:
        """Say whether the file is there as it is here."""
        there = self._known().get(name)
        if there is None or there[0] != size:
            return False
        return PurePosixPath(name).name not in _CHANGING or there[1] == changed_ns

    def _known(self) -> dict[str, tuple[int, int]]:
        if self._stored is None:
            with self._naming("the folder"):
                found = self._fs.find(str(self._root), detail=True)
            self._stored = {
                str(PurePosixPath(path).relative_to(self._fs._strip_protocol(str(self._root)))): (  # noqa: SLF001 - the one way that fsspec has.
                    int(about["size"]), 0
                )
                for path, about in found.items()
                if not PurePosixPath(path).name.startswith(".")
            }  # fmt: skip
        return self._stored

    def _put(self, path: Path, name: str) -> None:
        target = str(self._root / name)
        sent = hashlib.sha256()
        with self._naming(name):
            self._fs.makedirs(str(PurePosixPath(target).parent), exist_ok=True)
            with (
                path.open("rb") as source,
                self._fs.transaction,
                self._fs.open(target, "wb") as file,
            ):
                for piece in _pieces(source):
                    sent.update(piece)
                    file.write(piece)
            arrived = hashlib.sha256()
            self._fs.invalidate_cache()
            with self._open(name, "rb") as file:
                for piece in _pieces(file):
                    arrived.update(piece)
        if sent.digest() != arrived.digest():
            raise FileDamaged(
                f"{name} did not arrive at the remote as it was sent; it is sent again."
            )

    def _open(self, name: str, mode: str) -> IO[bytes]:
        file: IO[bytes] = self._fs.open(str(self._root / name), mode)
        return file

    def _naming(self, what: str) -> "_Naming":
        return _Naming(what)


class _Naming:
    """Turns what fsspec and the libraries below it raise, which is anything, into BackupError."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        """Nothing to open."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, BackupError):
            text = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise BackupError(f"The remote failed at {self._what}: {text}.") from error


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_READ_BYTES):
        yield piece


def _list_log(repository: Repository) -> list[Path]:
    """The list of erasures and the log, so that nothing is said to be there before it is."""
    wal = repository.folder / "wal"
    return [
        *sorted((repository.folder / ERASURES).glob("*.json")),
        *sorted(path for path in wal.glob(f"*/*{SEALED}") if path.name != PARTIAL),
        *sorted(wal.glob(f"*/{PARTIAL}")),
        *sorted(wal.glob(f"*/{RECEIVED}")),
    ]


def _list_all(repository: Repository) -> list[Path]:
    """All that is to be copied; a backup that is just being made has no manifest."""
    manifests = sorted((repository.folder / "base").glob(f"*/{MANIFEST}"))
    bases = [path.with_name(BASE_FILE) for path in manifests]
    return [*_list_log(repository), *bases, *manifests]
