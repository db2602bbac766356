"""From sealed files to a running database: proved, unpacked, recovered. Touches one new folder."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from deploy.backups.archive import extract_archive
from deploy.backups.base import read_back
from deploy.backups.errors import BackupError, NotReachable
from deploy.backups.reach import Reach
from deploy.backups.repository import Repository, write_whole
from deploy.backups.rules import read_lsn, segment_of, write_lsn, written
from deploy.backups.server import program_version
from deploy.backups.wal import UNSEALED
from deploy.local.account import server_account
from deploy.local.errors import StackError
from deploy.local.postgres import reason_in
from deploy.local.stack import embedded_postgres
from shared.sealed_files.errors import FileDamaged, FileTruncated
from shared.sealed_files.form import FileLabel, SealedReader
from shared.sealed_files.keys import Keyring

RECOVERY_TIMEOUT_S = 24 * 3600.0
_ROOM = 1.2  # Of what is unpacked: recovery writes too.
_READ_BYTES = 1 << 20
_VERSION_FACTOR = 10_000
_TOO_EARLY = "recovery ended before configured recovery target was reached"


def prove_files(reach: Reach, repository: Repository, keyring: Keyring) -> int:
    """Open, unpack and prove all that a restore reads, writing nothing; return its bytes.

    Raises KeyIsWrong, FileDamaged, FileTruncated.
    """
    backup = reach.backup
    path = repository.base_path(backup.name)
    _require_size(path, backup.size)
    contents = read_back(path, keyring, FileLabel("base", backup.cluster, backup.name))
    _require_hash(path, backup.sha256)
    if write_lsn(contents.end_lsn) != backup.end_lsn:
        raise FileDamaged(f"{path} is damaged: it is not the one that its manifest names.")
    size = backup.content_size
    for path, label, _ in _log_files(reach, repository):
        with path.open("rb") as file:
            found = SealedReader(file, keyring, label, where=str(path)).drain()
        if found != backup.segment_bytes:
            raise FileDamaged(f"{path} is damaged: it holds {found:,} bytes. Fetch it again.")
        size += found
    return size


def require_room(folder: Path, size: int) -> None:
    """Raise BackupError where the disk has no room for what is to be unpacked."""
    free = shutil.disk_usage(folder).free
    if free < _ROOM * size:
        raise BackupError(
            f"Disk full: {free / 1e6:,.0f} MB free in {folder}, this needs "
            f"{_ROOM * size / 1e6:,.0f} MB. Nothing was touched; make room, or name another folder."
        )


def require_version(reach: Reach) -> None:
    """Raise BackupError where this PostgreSQL cannot read the files of that one."""
    wanted, here = reach.backup.server_version // _VERSION_FACTOR, program_version()
    if wanted != here:
        raise BackupError(
            f"The backup is of PostgreSQL {wanted}, and here is {here}. Files of one do not serve "
            "another: restore it with the release of its time, then export and import."
        )


def unpack(reach: Reach, repository: Repository, keyring: Keyring, target: Path) -> None:
    """Write the database and its log below a folder that is not there yet."""
    backup = reach.backup
    path = repository.base_path(backup.name)
    target.mkdir(mode=0o700, parents=True)
    with path.open("rb") as file:
        label = FileLabel("base", backup.cluster, backup.name)
        extract_archive(SealedReader(file, keyring, label, where=str(path)), target, str(path))
    for lock in target.glob(".s.PGSQL.*"):  # Of the server that was copied: its socket lay here.
        lock.unlink()
    log = target / "pg_wal"
    for path, label, name in _log_files(reach, repository):
        with path.open("rb") as file:
            reader = SealedReader(file, keyring, label, where=str(path))
            (log / name).unlink(missing_ok=True)
            with (log / name).open("xb") as plain:
                shutil.copyfileobj(reader, plain, _READ_BYTES)
    _name_timelines(reach, repository, log)
    (target / "recovery.signal").touch(mode=0o600)
    _give_to_server(target)


@contextmanager
def recovered(reach: Reach, target: Path, at: datetime | None) -> Iterator[str]:
    """Recover the folder to a moment and give the superuser's DSN while the database runs.

    None is the end of the log. Raises NotReachable where the log ends before the moment.
    """
    try:
        with _running(reach, target, at) as dsn:
            yield dsn
            return
    except StackError as error:
        said = _said_by_server(target)
        if at is None or _TOO_EARLY not in said:
            raise BackupError(f"The recovery failed: {reason_in(said or str(error))}") from error
    if at > reach.until:
        raise NotReachable(
            f"{written(at)} cannot be restored: the log that there is ends before it. Leave AT "
            f"away to restore all of it, or name a moment up to {written(reach.until)}."
        )
    with _running(reach, target, None) as dsn:  # Nothing was committed between its end and then.
        yield dsn


@contextmanager
def _running(reach: Reach, target: Path, at: datetime | None) -> Iterator[str]:
    settings = {
        "archive_mode": "off",
        "hot_standby": "off",  # Nothing of the server's size must be as it was there.
        "max_slot_wal_keep_size": "-1",
        "restore_command": "/bin/false",  # The log lies in pg_wal.
        "recovery_target_action": "promote",
        "recovery_target_timeline": str(reach.backup.timeline),
    }
    if at is not None:
        settings["recovery_target_time"] = at.isoformat(sep=" ", timespec="microseconds")
    elif not reach.segments and reach.partial is None:
        settings["recovery_target"] = "immediate"
    with embedded_postgres(target, settings, start_timeout_s=RECOVERY_TIMEOUT_S) as dsn:
        yield dsn


def _said_by_server(target: Path) -> str:
    log = target.with_name(f"{target.name}.log")
    return log.read_text(errors="replace") if log.exists() else ""


def _log_files(reach: Reach, repository: Repository) -> Iterator[tuple[Path, FileLabel, str]]:
    """The files of the write-ahead log: where, as what they were sealed, and their name."""
    for name in reach.segments:
        label = FileLabel("wal", repository.cluster, name)
        yield repository.segment_path(name), label, name
    if reach.partial is not None:
        label = FileLabel("partial", repository.cluster, reach.partial + UNSEALED)
        yield repository.partial_path(reach.backup.timeline), label, reach.partial


def _name_timelines(reach: Reach, repository: Repository, log: Path) -> None:
    """Let PostgreSQL see which timelines were used since, so that it takes a new one."""
    backup = reach.backup
    begin = segment_of(read_lsn(backup.end_lsn), backup.timeline, backup.segment_bytes)
    for timeline in range(backup.timeline + 1, max(repository.timelines(), default=0) + 1):
        if not (log / f"{timeline:08X}.history").exists():
            history = f"{backup.timeline}\t{reach.last_lsn}\tused by another restore from {begin}\n"
            (log / f"{timeline:08X}.history").write_text(history)


def _give_to_server(target: Path) -> None:
    account = server_account()
    if account is None:
        return
    for folder, folders, files in os.walk(target):
        for name in (*folders, *files):
            os.chown(Path(folder) / name, account.pw_uid, account.pw_gid)
    os.chown(target, account.pw_uid, account.pw_gid)


def _require_size(path: Path, size: int) -> None:
    try:
        found = path.stat().st_size
    except FileNotFoundError:
        raise FileTruncated(f"{path} is missing. Fetch it from the remote.") from None
    if found < size:
        raise FileTruncated(
            f"{path} is truncated: {found:,} bytes of {size:,}. Fetch it again, or restore from "
            "another backup."
        )
    if found > size:
        raise FileDamaged(f"{path} is damaged: {found:,} bytes, {size:,} were written.")


def _require_hash(path: Path, sha256: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise FileDamaged(f"{path} is damaged: its SHA-256 is not that of its manifest.")


def write_evidence(folder: Path, name: str, content: bytes) -> Path:
    """Keep what a restore or a drill came to."""
    path = folder / name
    write_whole(path, content)
    return path
