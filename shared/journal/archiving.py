"""Writing a month of a journal into an archive: whole, proved line by line, and only then there."""

import asyncio
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import Database
from shared.journal.archive import entry_line
from shared.journal.archive_check import check_archive
from shared.journal.archive_folder import ArchiveFolder, ArchiveWriter, Written
from shared.journal.archived import ArchiveManifest, write_manifest
from shared.journal.checkpoint import (
    become_verifier,
    digest_of,
    entries_query,
    list_after,
    record_of,
    records_of,
)
from shared.journal.export import LINE_COLUMNS
from shared.journal.notes import SigningKey
from shared.journal.verification import batches_of

CHECKPOINTS_AT_ONCE = 200


class NotArchived(Exception):
    """Why a month stays where it is, in one line."""


@dataclass(slots=True)
class _Covered:
    """Which checkpoints a month has entries of, as they come."""

    whole: list[tuple[int, int]] = field(default_factory=list)
    parts: dict[int, frozenset[int]] = field(default_factory=dict)
    entries: int = 0
    head: str = ""

    def add(self, row: Row[Any], entries: Sequence[Row[Any]]) -> None:
        self.entries += len(entries)
        self.head = digest_of(row).hex()
        if len(entries) < row.size:
            self.parts[row.number] = frozenset(entry.seq for entry in entries)
        elif self.whole and self.whole[-1][1] == row.number - 1:
            self.whole[-1] = (self.whole[-1][0], row.number)
        else:
            self.whole.append((row.number, row.number))


async def archive_month(
    database: Database, key: SigningKey, folder: ArchiveFolder, month: date, *, now: datetime
) -> ArchiveManifest:
    """Write a month's archive, read it back, sign its manifest, and note it in the database.

    Killed anywhere it is begun anew; an archive that is there already, as after a restore of the
    database, is taken if it proves to hold the same. The table is only read.
    Raises NotArchived, SafekeepingError, OSError.
    """
    async with database.engine.connect() as connection:
        previous = await connection.scalar(_NEWEST)
        await become_verifier(connection, key)
        manifest = folder.find_manifest(month, key.public)
        if manifest is None:
            hashed = hashlib.sha256(previous.encode()).hexdigest() if previous else None
            manifest = await _write(connection, key, folder, month, (hashed, now))
        elif manifest.entries != await count_entries(connection, month):
            raise NotArchived("another archive of this month is in the folder; look at both")
        difference = await check_archive(connection, folder, manifest)
        if difference is not None:
            raise NotArchived(f"what was written is not what was sealed: entry {difference.seq}")
    written = write_manifest(manifest, key)
    await asyncio.to_thread(folder.keep_manifest, month, written)
    async with database.engine.begin() as connection:
        values = {
            "month": month, "manifest": written, "entries": manifest.entries,
            "last_xid": manifest.last[0], "last_seq": manifest.last[1],
        }  # fmt: skip
        await connection.execute(_NOTE, values)
    return manifest


async def count_entries(connection: AsyncConnection, month: date) -> int:
    """Return how many entries a month's own table has."""
    return int(await connection.scalar(text(f"SELECT count(*) FROM journal {_OF}"), _of(month)))  # noqa: S608 - our own text.


async def has_types(connection: AsyncConnection, month: date, types: Collection[str]) -> bool:
    """Say whether a month's own table has entries of any of these types."""
    wanted = {**_of(month), "types": list(types)}
    return bool(types) and bool(await connection.scalar(_HAS_TYPES, wanted))


async def _write(
    connection: AsyncConnection,
    key: SigningKey,
    folder: ArchiveFolder,
    month: date,
    said: tuple[str | None, datetime],
) -> ArchiveManifest:
    first, last = [(row.xid, row.seq) for row in await connection.execute(_ENDS, _of(month))]
    begin = await connection.scalar(_FIRST_CHECKPOINT, {"xid": first[0], "seq": first[1]})
    if begin is None:
        raise NotArchived("no checkpoint seals its entries yet")
    writer = folder.begin(month, said[1])
    try:
        covered = _Covered()
        await _copy(connection, key, month, (begin, last), (writer, covered))
        written: Written = await asyncio.to_thread(writer.finish)
    except BaseException:
        writer.abandon()
        raise
    tenants = (await connection.scalars(_TENANTS, _of(month))).all()
    return ArchiveManifest(
        service=key.service,
        month=month,
        file=folder.file_of(month).name,
        entries=covered.entries,
        first=first,
        last=last,
        sha256=written.sha256,
        content_sha256=written.content_sha256,
        whole=tuple(covered.whole),
        parts=covered.parts,
        head=covered.head,
        tenants=tuple(map(str, tenants)),
        previous=said[0],
        made_at=said[1],
    )


async def _copy(
    connection: AsyncConnection,
    key: SigningKey,
    month: date,
    between: tuple[int, tuple[int, int]],
    into: tuple[ArchiveWriter, _Covered],
) -> None:
    """Copy from a checkpoint on up to the last entry. Raises NotArchived."""
    number, last = between[0] - 1, between[1]
    writer, covered = into
    at = (0, 0)
    while at < last:
        rows = await list_after(connection, number, CHECKPOINTS_AT_ONCE)
        if not rows:
            raise NotArchived("not all of its entries are sealed by a checkpoint yet")
        for batch in batches_of(rows):
            query = entries_query(key.service, batch[0].version, LINE_COLUMNS, only=_ONLY)
            bounds = {
                "after_xid": batch[0].after_xid, "after_seq": batch[0].after_seq,
                "upto_xid": batch[-1].upto_xid, "upto_seq": batch[-1].upto_seq,
                "most": sum(row.size for row in batch) + 1, **_of(month),
            }  # fmt: skip
            entries = (await connection.execute(query, bounds)).all()
            await asyncio.to_thread(writer.write, [entry_line(entry) for entry in entries])
            _cover(covered, batch, entries)
        number, at = rows[-1].number, (rows[-1].upto_xid, rows[-1].upto_seq)


def _cover(covered: _Covered, batch: Sequence[Row[Any]], entries: Sequence[Row[Any]]) -> None:
    """Note which entries are of which checkpoint. Raises NotArchived where one is not as sealed."""
    at = 0
    for row in batch:
        end = at
        while end < len(entries) and (entries[end].xid, entries[end].seq) <= (
            row.upto_xid,
            row.upto_seq,
        ):
            end += 1
        mine = entries[at:end]
        if mine:
            sealed = set(records_of(row.leaves))
            if any(record_of(entry) not in sealed for entry in mine):
                raise NotArchived(f"checkpoint {row.number} does not verify")
            covered.add(row, mine)
        at = end
    if at < len(entries):
        raise NotArchived("an entry is of no checkpoint")


def _of(month: date) -> dict[str, Any]:
    until = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return {"part": f"journal_{month:%Y_%m}", "since": month, "until": until}


# A month's own table: what was written while it was missing lies in the default one, and stays.
_ONLY = """
    AND recorded_at >= CAST(CAST(:since AS date) AS timestamp) AT TIME ZONE 'UTC'
    AND recorded_at < CAST(CAST(:until AS date) AS timestamp) AT TIME ZONE 'UTC'
    AND tableoid = CAST(CAST(:part AS text) AS regclass)"""
_OF = f"WHERE true {_ONLY}"
_ENDS = text(f"""
    (SELECT xid::text::bigint AS xid, seq FROM journal {_OF} ORDER BY journal.xid, seq LIMIT 1)
    UNION ALL
    (SELECT xid::text::bigint, seq FROM journal {_OF} ORDER BY journal.xid DESC, seq DESC LIMIT 1)
    """)  # noqa: S608 - our own text.
_TENANTS = text(f"SELECT DISTINCT tenant_id FROM journal {_OF} ORDER BY 1")  # noqa: S608 - same.
_HAS_TYPES = text(f"""
    SELECT EXISTS (SELECT FROM journal {_OF} AND type = ANY(CAST(:types AS text[])))
    """)  # noqa: S608 - our own text.
_FIRST_CHECKPOINT = text("""
    SELECT min(number) FROM checkpoints
    WHERE (upto_xid, upto_seq) >= (CAST(:xid AS xid8), CAST(:seq AS bigint))""")
_NEWEST = text("SELECT manifest FROM journal_archives ORDER BY archived_at DESC LIMIT 1")
_NOTE = text("""
    INSERT INTO journal_archives (month, manifest, entries, last_xid, last_seq)
    VALUES (:month, :manifest, :entries, :last_xid, :last_seq)""")
