"""Making a base backup: the whole database and the log that it needs, in one sealed file."""

import asyncio
import shutil
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from deploy.backups.archive import Contents, verify_archive
from deploy.backups.errors import BackupError
from deploy.backups.manifest import Manifest
from deploy.backups.repository import Repository, whole_file, write_whole
from deploy.backups.rules import NAME_FORMAT, write_lsn
from deploy.backups.server import BackedServer, Cluster, program
from deploy.local.children import die_with_parent
from shared.sealed_files.form import BASE_LEVEL, FileLabel, SealedReader, SealedWriter
from shared.sealed_files.keys import Keyring

_READ_BYTES = 1 << 20
_SAID_BYTES_MAX = 64_000


@dataclass(frozen=True)
class Made:
    """A base backup that was made, and how long that took."""

    manifest: Manifest
    duration_s: float


async def make_base(
    server: BackedServer,
    repository: Repository,
    keyring: Keyring,
    identity: Cluster,
    *,
    journal_folder: Path | None,
    erasures: int = 0,
) -> Made:
    """Make a base backup and read it back; its manifest stands last. Raises BackupError, OSError.

    Whatever goes wrong, what was there before is there still, and nothing half made beside it.
    """
    began = time.monotonic()
    started_at = await server.now()
    name = started_at.astimezone(UTC).strftime(NAME_FORMAT)
    path = repository.base_path(name)
    if path.parent.exists():
        raise BackupError(f"There is a backup {name} already; wait a second.")
    heads = read_heads(journal_folder)  # Before: all they cover is in the backup.
    label = FileLabel("base", identity.cluster, name)
    try:
        written = await asyncio.to_thread(_stream, server, path, keyring, label, started_at)
        ended_at = await server.now()
        contents = await asyncio.to_thread(read_back, path, keyring, label)
        _require_same(contents, identity)
        manifest = Manifest(
            name=name,
            cluster=identity.cluster,
            timeline=contents.timeline,
            server_version=identity.version,
            segment_bytes=identity.segment_bytes,
            started_at=started_at,
            ended_at=ended_at,
            start_lsn=write_lsn(contents.start_lsn),
            end_lsn=write_lsn(contents.end_lsn),
            size=written.size,
            sha256=written.sha256,
            content_size=written.content_size,
            files=len(contents.hashes),
            verified_at=await server.now(),
            key_id=keyring.current.id,
            heads=heads,
            erasures=erasures,
        )
        write_whole(repository.manifest_path(name), manifest.written(keyring))
    except BaseException:
        shutil.rmtree(path.parent, ignore_errors=True)
        raise
    return Made(manifest, time.monotonic() - began)


def _require_same(contents: Contents, identity: Cluster) -> None:
    if contents.timeline != identity.timeline:
        raise BackupError("The database changed its timeline meanwhile; make another backup.")


def read_back(path: Path, keyring: Keyring, label: FileLabel) -> Contents:
    """Open, unpack and prove every file of a base backup, writing nothing. Raises BackupError."""
    with path.open("rb") as file:
        return verify_archive(SealedReader(file, keyring, label, where=str(path)), str(path))


def read_heads(folder: Path | None) -> dict[str, str]:
    """Return the newest checkpoint of each journal that is kept outside the database."""
    if folder is None or not folder.is_dir():
        return {}
    return {path.stem: path.read_text() for path in sorted(folder.glob("*.checkpoint"))}


def _stream(
    server: BackedServer, path: Path, keyring: Keyring, label: FileLabel, made_at: datetime
) -> SealedWriter:
    """Have pg_basebackup write its tar through compression and sealing into the file."""
    command = [
        *(program("pg_basebackup"), "--dbname", server.address, "--no-password"),
        *("--pgdata", "-", "--format", "tar", "--wal-method", "fetch", "--checkpoint", "fast"),
        *("--manifest-checksums", "SHA256", "--label", f"backup {label.name}"),
    ]
    with whole_file(path) as file:
        process = subprocess.Popen(  # noqa: S603 - our own program.
            command,
            env=dict(server.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - one prctl call, safe after fork.
        )
        try:
            writer = SealedWriter(file, keyring, label, made_at=made_at, level=BASE_LEVEL)
            copy_output(process, writer, "pg_basebackup")
        finally:
            process.kill()
            process.wait()
        writer.close()
    return writer


def copy_output(process: "subprocess.Popen[bytes]", writer: SealedWriter, name: str) -> None:
    """Seal what a program writes until it ends. Raises BackupError if that is not well."""
    output, complaints = _pipes(process)
    while piece := output.read(_READ_BYTES):
        writer.write(piece)
    lines = complaints.read(_SAID_BYTES_MAX).decode(errors="replace").strip().splitlines()
    if process.wait() != 0:
        raise BackupError(f"{name} failed: {lines[-1] if lines else 'it said nothing'}")


def _pipes(process: "subprocess.Popen[bytes]") -> tuple[IO[bytes], IO[bytes]]:
    if process.stdout is None or process.stderr is None:
        raise BackupError("The program has no output.")
    return process.stdout, process.stderr
