"""Checkpoints: signed digests over the journal, so that any later change to it shows.

One sealer per service hashes new entries in feed order, off the write path. A checkpoint keeps
each entry's sequence number and leaf hash, the root of the tree over all entries so far (RFC
6962), the digest of the checkpoint before it, and an Ed25519 signature over all of that, which is
that of a signed note (`notes.py`). Whoever alters the tables, the database's owner included,
cannot sign. ADR 0035.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import utc_now
from shared.db import Database
from shared.journal.entries import DifferenceKind
from shared.journal.horizon import horizon_of
from shared.journal.keeper import Keeper
from shared.journal.merkle import Tree
from shared.journal.notes import CheckpointNote, NoteInvalid, NoteKey, SigningKey

CHECKPOINT_SIZE_MAX = 1000
GENESIS = bytes(32)
VERSION = 2  # Of the leaves, and of what is signed.
LEAF_BYTES = 40  # 8 of the sequence number, 32 of the hash.


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where the journal is not what was sealed."""

    kind: DifferenceKind
    checkpoint: int
    seq: int | None = None
    entry_id: str | None = None
    archive: str | None = None  # The month in whose archive it is, as 2019-03.


class ChainBroken(Exception):
    """The chain does not go on from where it was seen to be; nothing is sealed on top of that."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(f"{difference.kind}: checkpoint {difference.checkpoint}")
        self.difference = difference


async def seal(database: Database, key: SigningKey, keeper: Keeper | None = None) -> int:
    """Seal what is new, in as many checkpoints as it takes; return how many entries.

    Raises ChainBroken where the newest checkpoint that is known, from the keeper or from an
    earlier verification, is not there any more: what follows it would be sealed anew.
    """
    sealed = 0
    while True:
        async with database.engine.begin() as connection:
            size, note = await _seal_next(connection, key, keeper)
        if note is not None and keeper is not None:
            keeper.keep(note)
        sealed += size
        if size < CHECKPOINT_SIZE_MAX:
            return sealed


def digest_of(row: Row[Any]) -> bytes:
    """Return the hash that the signature covers and the next checkpoint names."""
    return _digest(row._asdict())


def record_of(entry: Row[Any]) -> bytes:
    """Return the leaf of the tree that an entry is: its sequence number and leaf hash."""
    return bytes(entry.seq.to_bytes(8) + entry.leaf)


def bounds_of(row: Row[Any], *, more: int) -> dict[str, int]:
    """Return the parameters by which `entries_query` reads a checkpoint's entries, and some more.

    These show what is there beside them.
    """
    return {
        "after_xid": row.after_xid, "after_seq": row.after_seq,
        "upto_xid": row.upto_xid, "upto_seq": row.upto_seq, "most": row.size + more,
    }  # fmt: skip


def records_of(leaves: bytes) -> list[bytes]:
    """Return the leaves of the tree, one for each entry: its sequence number and leaf hash."""
    return [leaves[at : at + LEAF_BYTES] for at in range(0, len(leaves), LEAF_BYTES)]


def signed_of(row: Row[Any], key: NoteKey) -> bytes:
    """Return what a checkpoint's signature is over: its note, or the digest in version 1."""
    return digest_of(row) if row.version == 1 else note_of(row, key).text.encode()


def note_of(row: Row[Any], key: NoteKey) -> CheckpointNote:
    return CheckpointNote(key.origin, row.tree_size, row.root, row.number, digest_of(row))


def extended(row: Row[Any], tree: Tree, key: NoteKey) -> bool:
    """Add a checkpoint's leaves to the tree; say whether it is genuine, and the tree's own."""
    records = records_of(row.leaves)
    if not 0 < len(row.leaves) == row.size * LEAF_BYTES:
        return False
    tree.add(records)
    if row.version == 1:
        alone = Tree()
        alone.add(records)
        is_root = row.root == alone.root()
    else:
        is_root = (row.tree_size, row.root, row.peaks) == (tree.size, tree.root(), tree.peaks)
    return is_root and key.is_signed(signed_of(row, key), row.signature)


def tree_at(row: Row[Any]) -> Tree | None:
    """Return the tree up to a checkpoint from its peaks; None if they do not give its root."""
    try:
        tree = Tree(row.tree_size, row.peaks)
    except ValueError:
        return None
    return tree if tree.root() == row.root else None


async def last_of(connection: AsyncConnection) -> Row[Any] | None:
    return (await connection.execute(_LAST)).one_or_none()


async def list_after(connection: AsyncConnection, number: int, most: int) -> Sequence[Row[Any]]:
    """Return the checkpoints after this one, in order."""
    return (await connection.execute(_AFTER, {"number": number, "most": most})).all()


async def find_cut(connection: AsyncConnection, kept: CheckpointNote) -> Difference | None:
    """Return how the chain differs from a genuine checkpoint that it had once."""
    row = (await connection.execute(_BY_NUMBER, {"number": kept.number})).one_or_none()
    if row is None:
        last = await last_of(connection)
        first_missing = min(last.number + 1, kept.number) if last else 1
        return Difference("checkpoint_missing", first_missing)
    return None if digest_of(row) == kept.digest else Difference("checkpoint_forged", kept.number)


async def find_known(
    connection: AsyncConnection, key: SigningKey, keeper: Keeper | None
) -> CheckpointNote | None:
    """Return the newest checkpoint that was seen: kept outside, or by an earlier verification."""
    kept = keeper.newest() if keeper else None
    for row in await connection.execute(_VERIFIED, {"after": kept.number if kept else 0}):
        try:
            return key.public.read(row.note)
        except NoteInvalid:
            continue  # Whoever may write rows cannot sign them.
    return kept


async def become_verifier(connection: AsyncConnection, key: SigningKey) -> None:
    """Read entries of all tenants, and change nothing, until the transaction ends."""
    await connection.execute(text(f"SET LOCAL ROLE {key.service}_verifier"))


@lru_cache(maxsize=32)
def entries_query(
    service: str, version: int, columns: str = "", *, of: str = "journal", only: str = ""
) -> TextClause:
    """Return the statement that reads entries in order with what proves each.

    Of one table, and those alone of which a condition holds, between (after_xid, after_seq), which
    is left out, and (upto_xid, upto_seq). It reads the table itself: a function in the database
    could be replaced by one that lies.
    """
    return text(f"""
        SELECT xid, seq, id::text AS id, {_LEAF[version]} AS leaf{columns}
        FROM {service}.{of}
        WHERE (xid, seq) > (CAST(:after_xid AS xid8), :after_seq)
          AND (xid, seq) <= (CAST(:upto_xid AS xid8), :upto_seq)
          AND xid < {horizon_of(service)} {only}
        ORDER BY xid, seq LIMIT :most""")  # noqa: S608 - our own names.


async def _seal_next(
    connection: AsyncConnection, key: SigningKey, keeper: Keeper | None
) -> tuple[int, str | None]:
    if not await connection.scalar(_SEALER_LOCK):
        return 0, None
    last = await last_of(connection)
    known = await find_known(connection, key, keeper)
    if known is not None and (cut := await find_cut(connection, known)):
        raise ChainBroken(cut)
    after = (last.upto_xid, last.upto_seq) if last else (0, 0)
    rows = await _list_new(connection, key, after)
    if not rows:
        return 0, None
    tree = await _tree_of(connection, key, last)
    records = [record_of(row) for row in rows]
    tree.add(records)
    values: dict[str, Any] = {
        "number": last.number + 1 if last else 1,
        "after_xid": after[0],
        "after_seq": after[1],
        "upto_xid": rows[-1].xid,
        "upto_seq": rows[-1].seq,
        "size": len(rows),
        "leaves": b"".join(records),
        "root": tree.root(),
        "previous": digest_of(last) if last else GENESIS,
        "sealed_at": utc_now(),
        "version": VERSION,
        "tree_size": tree.size,
        "peaks": tree.peaks,
    }
    note = CheckpointNote(
        key.public.origin, tree.size, values["root"], values["number"], _digest(values)
    )
    values["signature"] = key.sign(note.text.encode())
    await connection.execute(_INSERT, values)
    return len(rows), key.public.write(note, values["signature"])


async def _list_new(
    connection: AsyncConnection, key: SigningKey, after: tuple[int, int]
) -> Sequence[Row[Any]]:
    await become_verifier(connection, key)
    rows = await connection.execute(
        entries_query(key.service, VERSION),
        {
            "after_xid": after[0], "after_seq": after[1],
            "upto_xid": 2**63 - 1, "upto_seq": 2**63 - 1, "most": CHECKPOINT_SIZE_MAX,
        },
    )  # fmt: skip
    found = rows.all()
    await connection.execute(_BE_ONESELF)
    return found


async def _tree_of(connection: AsyncConnection, key: SigningKey, last: Row[Any] | None) -> Tree:
    """Return the tree as it stands, of a genuine last checkpoint. Raises ChainBroken.

    Where that is of version 1 the leaves of all those are read, once.
    """
    if last is None:
        return Tree()
    if last.version == VERSION:
        kept = tree_at(last)
        if kept is None or not key.is_signed(signed_of(last, key.public), last.signature):
            raise ChainBroken(Difference("checkpoint_forged", last.number))
        return kept
    tree, number = Tree(), 0
    while number < last.number:
        for row in await list_after(connection, number, 100):
            if not extended(row, tree, key.public):
                raise ChainBroken(Difference("checkpoint_forged", row.number))
            number = row.number
    return tree


def _digest(values: dict[str, Any]) -> bytes:
    bounds = ("number", "after_xid", "after_seq", "upto_xid", "upto_seq", "size")
    head = "|".join(str(values[name]) for name in bounds)
    sealed_at = values["sealed_at"].isoformat()
    return hashlib.sha256(
        f"{head}|{sealed_at}|".encode() + values["root"] + values["previous"]
    ).digest()


def _netstring(column: str) -> str:
    return f"octet_length({column}) || ':' || {column} || ','"


# What a leaf hash is over. Version 2: netstrings, so that no field runs into another; the time in
# microseconds since 1970.
_FIELDS = (
    "xid::text", "seq::text", "id::text", "tenant_id::text",
    "trunc(extract(epoch FROM recorded_at) * 1000000)::text",
    "actor", "request_id", "type", "subject", "data::text",
)  # fmt: skip
_LEAF = {
    1: """sha256(convert_to(concat_ws(E'\\x1f', seq, id, tenant_id,
        to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS.US'),
        actor, request_id, type, subject, data::text), 'UTF8'))""",
    2: "sha256(convert_to(" + " || ".join(map(_netstring, _FIELDS)) + ", 'UTF8'))",
}
_SEALER_LOCK = text("SELECT try_lock('sealer')")
_BE_ONESELF = text("SET LOCAL ROLE NONE")
_LAST = text("SELECT * FROM checkpoints ORDER BY number DESC LIMIT 1")
_BY_NUMBER = text("SELECT * FROM checkpoints WHERE number = :number")
_AFTER = text("SELECT * FROM checkpoints WHERE number > :number ORDER BY number LIMIT :most")
_VERIFIED = text("""
    SELECT note FROM verifications WHERE number > :after AND note <> ''
    ORDER BY number DESC LIMIT 20""")
_INSERT = text("""
    INSERT INTO checkpoints (number, after_xid, after_seq, upto_xid, upto_seq, size, leaves, root,
                             previous, signature, sealed_at, version, tree_size, peaks)
    VALUES (:number, CAST(:after_xid AS xid8), :after_seq, CAST(:upto_xid AS xid8), :upto_seq,
            :size, :leaves, :root, :previous, :signature, :sealed_at, :version, :tree_size,
            :peaks)""")
