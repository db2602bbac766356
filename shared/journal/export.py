"""Exporting a journal as JSON lines, in files that rotate and prove themselves (`archive.py`)."""

import asyncio
import base64
import fcntl
import gzip
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import Database
from shared.journal import archive
from shared.journal.archived import find_archived
from shared.journal.checkpoint import (
    GENESIS,
    ChainBroken,
    Difference,
    become_verifier,
    bounds_of,
    digest_of,
    entries_query,
    list_after,
    record_of,
)
from shared.journal.keeper import PRIVATE, make_private, write_private
from shared.journal.merkle import Tree
from shared.journal.notes import SigningKey

CHECKPOINTS_AT_ONCE = 50
LINE_COLUMNS = """, tenant_id::text AS tenant_id,
    to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS.US"Z"') AS recorded_at,
    actor, request_id, type, subject, data::text AS data"""


class ExportBehind(Exception):
    """What would be exported next has left the journal."""


class Exporter:
    """Writes what is sealed to a folder, each checkpoint once, whenever it is stopped and begun."""

    def __init__(
        self, database: Database, key: SigningKey, folder: Path, *, max_bytes: int
    ) -> None:
        self._database = database
        self._key = key
        self._folder = folder
        self._max_bytes = max_bytes

    async def export(self, now: datetime) -> int:
        """Write what was sealed since the last time; return how many entries.

        A file is closed once it is large enough, or its first checkpoint is of another day (UTC).
        Does nothing while another worker is at it. Raises ChainBroken where entries are not as
        they were sealed, before any of that checkpoint is written; ExportBehind; OSError.
        """
        make_private(self._folder)
        with alone(self._folder / f".{self._key.service}.lock") as is_alone:
            return await self._export(now) if is_alone else 0

    def last_checkpoint(self) -> int:
        """Return up to which checkpoint all is exported."""
        return self._resume().last_checkpoint

    async def _export(self, now: datetime) -> int:
        file = await asyncio.to_thread(self._resume)
        written = 0
        async with self._database.engine.connect() as connection:
            await become_verifier(connection, self._key)
            archived, _ = await find_archived(connection, self._key.public)
            if archived.since(file.last_checkpoint):
                raise ExportBehind(
                    f"entries after checkpoint {file.last_checkpoint} are in archives, and cannot "
                    "be exported any more: the archives hold them"
                )
            while rows := await list_after(connection, file.last_checkpoint, CHECKPOINTS_AT_ONCE):
                for row in rows:
                    if file.is_over(row.sealed_at, self._max_bytes):
                        file = await asyncio.to_thread(self._close, file, now)
                    entries = await self._entries_of(connection, row)
                    await asyncio.to_thread(file.append, row, entries)
                    written += row.size
        if file.is_over(now, self._max_bytes):
            await asyncio.to_thread(self._close, file, now)
        return written

    async def _entries_of(self, connection: AsyncConnection, row: Row[Any]) -> Sequence[Row[Any]]:
        query = entries_query(self._key.service, row.version, LINE_COLUMNS)
        entries = (await connection.execute(query, bounds_of(row, more=1))).all()
        if b"".join(map(record_of, entries)) != row.leaves:
            raise ChainBroken(Difference("changed", row.number))
        return entries

    def _resume(self) -> "_OpenFile":
        """Return the open file as it was left, up to its last whole checkpoint."""
        service = self._key.service
        manifests = sorted(self._folder.glob(f"{service}-*{archive.MANIFEST}"))
        if not manifests:
            number, before, previous = 1, _Before(), None
        else:
            last = archive.read_manifest(manifests[-1], self._key.public)
            number = last["file_number"] + 1
            before = _Before.parse(last["after"], last["last_checkpoint"])
            previous = hashlib.sha256(manifests[-1].read_bytes()).hexdigest()
            # Killed between the manifest and this: it is closed, and the open one is its double.
            manifests[-1].with_suffix(archive.OPEN).unlink(missing_ok=True)
        path = self._folder / f"{service}-{number:08}{archive.OPEN}"
        return _OpenFile(path, number, before, previous)

    def _close(self, file: "_OpenFile", now: datetime) -> "_OpenFile":
        content = file.path.read_bytes()
        packed = gzip.compress(content, mtime=0)
        closed = file.path.with_suffix(archive.CLOSED)
        write_private(closed, packed)
        manifest = {
            "service": self._key.service,
            "file": closed.name,
            "file_number": file.number,
            "first_checkpoint": file.before.checkpoint + 1,
            "last_checkpoint": file.last_checkpoint,
            "entries": file.entries,
            "sha256": hashlib.sha256(packed).hexdigest(),
            "content_sha256": hashlib.sha256(content).hexdigest(),
            "before": file.before.as_json(),
            "after": file.after.as_json(),
            "previous_manifest": file.previous_manifest,
            "closed_at": now.isoformat(),
        }
        written = archive.sign_manifest(manifest, self._key.sign)
        write_private(file.path.with_suffix(archive.MANIFEST), written)
        return self._resume()


class _Before:
    """Where a file begins or ends: the checkpoint before, and the tree up to it."""

    def __init__(
        self, checkpoint: int = 0, digest: bytes = GENESIS, tree: Tree | None = None
    ) -> None:
        self.checkpoint = checkpoint
        self.digest = digest
        self.tree = tree or Tree()

    @classmethod
    def parse(cls, kept: dict[str, Any], checkpoint: int) -> "_Before":
        tree = Tree(kept["size"], base64.b64decode(kept["peaks"]))
        return cls(checkpoint, bytes.fromhex(kept["digest"]), tree)

    def as_json(self) -> dict[str, Any]:
        peaks = base64.b64encode(self.tree.peaks).decode()
        return {"digest": self.digest.hex(), "size": self.tree.size, "peaks": peaks}


class _OpenFile:
    """The file that is written to, which only its owner reads."""

    def __init__(
        self, path: Path, number: int, before: _Before, previous_manifest: str | None
    ) -> None:
        self.path, self.number, self.before = path, number, before
        self.previous_manifest = previous_manifest
        tree = Tree(before.tree.size, before.tree.peaks)
        self.after = _Before(before.checkpoint, before.digest, tree)
        self.entries = self.bytes = 0
        self._begun_at: datetime | None = None
        if path.exists():
            self._read_again()

    @property
    def last_checkpoint(self) -> int:
        return self.after.checkpoint

    def is_over(self, now: datetime, max_bytes: int) -> bool:
        """Say whether the file is to be closed before anything of `now` is written."""
        return self._begun_at is not None and (
            self.bytes >= max_bytes or now.date() > self._begun_at.date()
        )

    def append(self, row: Any, entries: Sequence[Any]) -> None:  # noqa: ANN401 - a checkpoint's row.
        """Write a checkpoint with its entries, at once and to the disk."""
        lines = [*map(archive.entry_line, entries), archive.checkpoint_line(row)]
        content = "".join(lines).encode()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)
        with os.fdopen(descriptor, "ab") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._pass(row, [record_of(entry) for entry in entries], len(content))

    def _pass(self, row: Any, records: list[bytes], size: int) -> None:  # noqa: ANN401 - same.
        self.after.tree.add(records)
        self.after.checkpoint, self.after.digest = row.number, digest_of(row)
        self.entries += len(records)
        self.bytes += size
        self._begun_at = self._begun_at or row.sealed_at

    def _read_again(self) -> None:
        content = archive.finished(self.path.read_bytes())
        os.truncate(self.path, len(content))
        waiting: list[str] = []
        for raw in content.split(b"\n")[:-1]:
            line = raw.decode() + "\n"
            waiting.append(line)
            if archive.is_checkpoint(line):
                row = archive.read_checkpoint(line)
                records = [archive.record_of(entry, row.version) for entry in waiting[:-1]]
                self._pass(row, records, sum(len(each.encode()) for each in waiting))
                waiting = []


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Say whether nobody else, in any process of this machine, holds the file meanwhile."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)
