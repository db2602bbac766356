"""Proving a journal: every checkpoint recomputed from its entries, or those since one."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import metrics
from shared.db import Database
from shared.journal.archive_check import check_archives
from shared.journal.archive_folder import ArchiveFolder
from shared.journal.archived import ArchivedLeaves, ArchiveFound, find_archived
from shared.journal.checkpoint import (
    CHECKPOINT_SIZE_MAX,
    GENESIS,
    Difference,
    become_verifier,
    bounds_of,
    digest_of,
    entries_query,
    extended,
    find_cut,
    find_known,
    last_of,
    list_after,
    note_of,
    records_of,
    tree_at,
)
from shared.journal.horizon import horizon_of
from shared.journal.keeper import Keeper
from shared.journal.merkle import Tree
from shared.journal.notes import CheckpointNote, NoteInvalid, SigningKey

ENTRIES_AT_ONCE = 5_000
CHECKPOINTS_AT_ONCE = 200
Leaf = tuple[int, bytes]

Progress = Callable[[int], None]  # Told how many entries are verified so far.


@dataclass(frozen=True, slots=True)
class Verification:
    """How far a journal is as it was sealed."""

    checkpoints: int
    entries: int
    head: str
    first_difference: Difference | None
    note: str | None = None  # The newest checkpoint that holds, to be kept outside.
    archives: tuple[ArchiveFound, ...] = ()  # Of months that the table no longer has.

    @property
    def ok(self) -> bool:
        return self.first_difference is None

    def as_json(self) -> dict[str, Any]:
        archives = [{**each._asdict(), "month": f"{each.month:%Y-%m}"} for each in self.archives]
        return {"ok": self.ok, **asdict(self), "archives": archives}


@dataclass(slots=True)
class _Walk:
    """Where a verification stands: all up to here holds."""

    key: SigningKey
    number: int = 0
    entries: int = 0
    previous: bytes = GENESIS
    cursor: tuple[int, int] = (0, 0)
    tree: Tree = field(default_factory=Tree)
    last: Row[Any] | None = None
    archived: ArchivedLeaves = field(default_factory=ArchivedLeaves)

    def follows(self, row: Row[Any]) -> bool:
        """Say whether a checkpoint is genuine and the next one, and add it to the tree."""
        return (
            row.previous == self.previous
            and (row.after_xid, row.after_seq) == self.cursor
            and extended(row, self.tree, self.key.public)
        )

    def pass_by(self, row: Row[Any]) -> None:
        self.number, self.last, self.previous = row.number, row, digest_of(row)
        self.cursor = (row.upto_xid, row.upto_seq)

    def result(
        self, difference: Difference | None, archives: Sequence[ArchiveFound]
    ) -> Verification:
        note = None
        if self.last is not None and self.last.version > 1:
            public = self.key.public
            note = public.write(note_of(self.last, public), self.last.signature)
        return Verification(
            self.number, self.entries, self.previous.hex(), difference, note, tuple(archives)
        )


async def verify(
    database: Database,
    key: SigningKey,
    *,
    keeper: Keeper | None = None,
    since: CheckpointNote | None = None,
    progress: Progress | None = None,
    archives: ArchiveFolder | None = None,
) -> Verification:
    """Recompute every checkpoint from the journal and say whether all stands as sealed.

    since names a checkpoint up to which all was verified before: only what follows is read, and
    what was changed before it is not seen. That checkpoints were cut off at the end shows by the
    keeper's newest one, or by an earlier verification. Entries of months that are in archives are
    read from that folder; without one their manifests are taken for what is in them.
    """
    async with database.engine.connect() as connection:
        known = await find_known(connection, key, keeper)
        # The end is fixed first: the sealer goes on meanwhile.
        last = await last_of(connection)
        walk = _Walk(key)
        await become_verifier(connection, key)
        walk.archived, difference = await find_archived(connection, key.public)
        if difference is None:
            difference = await _find_replaced(connection, key, walk)
        if difference is None and since is not None:
            difference = await _begin_at(connection, walk, since)
        if difference is None:
            difference = await _walk(connection, walk, last.number if last else 0, progress)
        if difference is None and known is not None:
            difference = await find_cut(connection, known)
        if difference is None:
            difference = await _find_future(connection, key, walk)
        wanted = walk.archived.since(since.number if since else 0)
        found = [ArchiveFound(each.month, each.entries, "signed") for each in wanted]
        if difference is None and archives is not None:
            found, difference = await check_archives(connection, archives, wanted)
    metrics.audit_chain_broken.labels(key.service).set(difference is not None)
    if difference is None and since is None:
        metrics.audit_chain_verified.labels(key.service).set(time.time())
    return walk.result(difference, found)


async def note_verification(
    database: Database, key: SigningKey, found: Verification, *, is_full: bool, now: datetime
) -> None:
    """Write down, signed, that the journal was verified, and how far."""
    difference = json.dumps(asdict(found.first_difference)) if found.first_difference else None
    values = {
        "number": found.checkpoints,
        "is_full": is_full,
        "note": found.note or "",
        "difference": difference,
        "verified_at": now,
    }
    values["signature"] = key.sign(_statement(values))
    async with database.engine.begin() as connection:
        await connection.execute(_NOTE, values)


async def find_verified(database: Database, key: SigningKey) -> CheckpointNote | None:
    """Return the newest checkpoint up to which a verification found all as sealed."""
    async with database.engine.connect() as connection:
        for row in await connection.execute(_FIND_VERIFIED):
            values = {**row._asdict(), "difference": None}
            if key.is_signed(_statement(values), row.signature):
                try:
                    return key.public.read(row.note)
                except NoteInvalid:
                    continue
    return None


def first_difference(
    checkpoint: int,
    sealed: list[Leaf],
    present: list[tuple[int, int, str, bytes]],
    upto: tuple[int, int],
) -> Difference | None:
    """Compare sealed leaves (seq, hash) with rows present (xid, seq, id, hash), both in order."""
    rows = [row for row in present if (row[0], row[1]) <= upto]
    for index, (seq, leaf) in enumerate(sealed):
        if index >= len(rows):
            return Difference("removed", checkpoint, seq)
        _, row_seq, row_id, row_leaf = rows[index]
        if row_seq == seq:
            if row_leaf != leaf:
                return Difference("changed", checkpoint, seq, row_id)
        elif any(row[1] == seq for row in rows[index:]):
            return Difference("inserted", checkpoint, row_seq, row_id)
        else:
            return Difference("removed", checkpoint, seq)
    if len(rows) > len(sealed):
        extra = rows[len(sealed)]
        return Difference("inserted", checkpoint, extra[1], extra[2])
    return None


async def _walk(
    connection: AsyncConnection, walk: _Walk, last_number: int, progress: Progress | None
) -> Difference | None:
    while walk.number < last_number:
        rows = await list_after(connection, walk.number, CHECKPOINTS_AT_ONCE)
        for batch in batches_of([row for row in rows if row.number <= last_number]):
            difference = await _verify_batch(connection, walk, batch)
            if difference is not None:
                return difference
            if progress is not None:
                progress(walk.entries)
            await asyncio.sleep(0)
        if not rows or (walk.number < last_number and rows[-1].number >= last_number):
            return Difference("checkpoint_missing", walk.number + 1)
    return None


def batches_of(rows: Sequence[Row[Any]]) -> list[list[Row[Any]]]:
    """Split checkpoints into runs of one version with not too many entries."""
    batches: list[list[Row[Any]]] = []
    size = 0
    for row in rows:
        size += row.size
        if not batches or size > ENTRIES_AT_ONCE or row.version != batches[-1][-1].version:
            batches.append([])
            size = row.size
        batches[-1].append(row)
    return batches


async def _verify_batch(
    connection: AsyncConnection, walk: _Walk, batch: Sequence[Row[Any]]
) -> Difference | None:
    """Verify checkpoints in order: that each is genuine, then their entries all at once."""
    genuine: list[Row[Any]] = []
    broken: Difference | None = None
    begin, previous = walk.cursor, walk.previous
    for row in batch:
        if row.number != walk.number + 1:
            broken = Difference("checkpoint_missing", walk.number + 1)
            break
        if not walk.follows(row):
            broken = Difference("checkpoint_forged", row.number)
            break
        genuine.append(row)
        walk.pass_by(row)
    if genuine and not await _is_as_sealed(connection, walk, begin, genuine):
        for row in genuine:
            difference = await _compare(connection, walk, row)
            if difference is not None:
                walk.number, walk.previous, walk.last = row.number, previous, None
                return difference
            previous = digest_of(row)
            walk.entries += row.size
        return Difference("changed", genuine[-1].number)
    walk.entries += sum(row.size for row in genuine)
    return broken


async def _is_as_sealed(
    connection: AsyncConnection,
    walk: _Walk,
    begin: tuple[int, int],
    rows: Sequence[Row[Any]],
) -> bool:
    present = await _read_leaves(connection, walk, begin, rows)
    if present == b"".join(walk.archived.kept(row) for row in rows):
        return True
    # A month may have been detached since the walk began.
    archived, forged = await find_archived(connection, walk.key.public)
    if forged is not None or len(archived.manifests) == len(walk.archived.manifests):
        return False
    walk.archived = archived
    present = await _read_leaves(connection, walk, begin, rows)
    return present == b"".join(walk.archived.kept(row) for row in rows)


async def _read_leaves(
    connection: AsyncConnection,
    walk: _Walk,
    begin: tuple[int, int],
    rows: Sequence[Row[Any]],
) -> bytes:
    """Return the leaves of the entries that the table has of some checkpoints, and one more."""
    end = rows[-1]
    bounds = {
        "after_xid": begin[0], "after_seq": begin[1],
        "upto_xid": end.upto_xid, "upto_seq": end.upto_seq,
        "most": sum(row.size for row in rows) + 1,
    }  # fmt: skip
    return await connection.scalar(_joined_query(walk.key.service, end.version), bounds) or b""


async def _compare(connection: AsyncConnection, walk: _Walk, found: Row[Any]) -> Difference | None:
    """Return the first difference between a genuine checkpoint and the journal."""
    upto = (found.upto_xid, found.upto_seq)
    sealed = [
        (int.from_bytes(leaf[:8]), leaf[8:]) for leaf in records_of(walk.archived.kept(found))
    ]
    # To tell an inserted entry from a removed one takes those around it.
    bounds = bounds_of(found, more=CHECKPOINT_SIZE_MAX)
    rows = await connection.execute(entries_query(walk.key.service, found.version), bounds)
    present = [(row.xid, row.seq, row.id, row.leaf) for row in rows]
    return first_difference(found.number, sealed, present, upto)


async def _begin_at(
    connection: AsyncConnection, walk: _Walk, since: CheckpointNote
) -> Difference | None:
    """Stand where an earlier verification ended; the checkpoint must be the one that it saw."""
    difference = await find_cut(connection, since)
    if difference is not None:
        return difference
    [row] = await list_after(connection, since.number - 1, 1)
    tree = tree_at(row)
    if tree is None or (tree.size, tree.root()) != (since.size, since.root):
        return Difference("checkpoint_forged", since.number)
    walk.tree, walk.entries = tree, tree.size
    walk.pass_by(row)
    return None


async def _find_replaced(
    connection: AsyncConnection, key: SigningKey, walk: _Walk
) -> Difference | None:
    kind = await connection.scalar(_KIND, {"name": f"{key.service}.journal"})
    return None if kind == "p" else Difference("replaced", walk.number)


async def _find_future(
    connection: AsyncConnection, key: SigningKey, walk: _Walk
) -> Difference | None:
    """Find an entry of a transaction that has not begun: no feed shows it before that has."""
    row = (await connection.execute(_future_query(key.service))).one_or_none()
    return Difference("future", walk.number, row.seq, row.id) if row else None


@lru_cache(maxsize=32)
def _joined_query(service: str, version: int) -> TextClause:
    return text(
        f"SELECT string_agg(int8send(seq) || leaf, ''::bytea ORDER BY xid, seq) "  # noqa: S608 - our own names.
        f"FROM ({entries_query(service, version).text}) AS entry"
    )


@lru_cache(maxsize=8)
def _future_query(service: str) -> TextClause:
    return text(f"""
        SELECT seq, id::text AS id FROM {service}.journal
        WHERE xid >= {horizon_of(service, "xmax")}
        ORDER BY xid, seq LIMIT 1""")  # noqa: S608 - our own name.


def _statement(values: dict[str, Any]) -> bytes:
    said = [
        "verified",
        values["verified_at"].isoformat(),
        str(values["number"]),
        "full" if values["is_full"] else "new",
        values["difference"] or "ok",
        values["note"],
    ]
    return "\n".join(said).encode()


_KIND = text("SELECT relkind::text FROM pg_class WHERE oid = to_regclass(:name)")
_NOTE = text("""
    INSERT INTO verifications (verified_at, number, is_full, note, difference, signature)
    VALUES (:verified_at, :number, :is_full, :note, CAST(:difference AS json), :signature)""")
_FIND_VERIFIED = text("""
    SELECT verified_at, number, is_full, note, signature FROM verifications
    WHERE difference IS NULL AND note <> '' ORDER BY number DESC, verified_at DESC LIMIT 20""")
