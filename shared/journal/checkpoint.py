"""Checkpoints: signed digests over the journal, so that any later change to it shows.

One sealer per service hashes new entries in feed order, off the write path. A checkpoint keeps
each entry's sequence number and leaf hash, their Merkle root (RFC 6962, 2.1, with its leaf and
node prefixes), the digest of the checkpoint before it, and an Ed25519 signature over all of that.
Whoever alters the tables, the database's owner included, cannot sign.
"""

import asyncio
import hashlib
import time
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import metrics
from shared.clock import utc_now
from shared.db import Database

CHECKPOINT_SIZE_MAX = 1000
GENESIS = bytes(32)
_SEQ_BYTES = 8
_LEAF_BYTES = 40  # 8 of the sequence number, 32 of the hash.


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key that seals one service's journal."""

    service: str
    private: Ed25519PrivateKey

    @classmethod
    def from_hex(cls, service: str, seed: str) -> "SigningKey":
        return cls(service, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)))

    def sign(self, digest: bytes) -> bytes:
        return self.private.sign(digest)

    def is_signed(self, digest: bytes, signature: bytes) -> bool:
        try:
            self.private.public_key().verify(signature, digest)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where the journal is not what was sealed."""

    kind: Literal["changed", "removed", "inserted", "checkpoint_forged", "checkpoint_missing"]
    checkpoint: int
    seq: int | None = None
    entry_id: str | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    checkpoints: int
    entries: int
    head: str
    first_difference: Difference | None

    @property
    def ok(self) -> bool:
        return self.first_difference is None

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.ok, **asdict(self)}


async def seal(database: Database, key: SigningKey) -> int:
    """Seal what is new, in as many checkpoints as it takes; return how many entries."""
    sealed = 0
    while True:
        async with database.engine.begin() as connection:
            size = await _seal_next(connection, key)
        sealed += size
        if size < CHECKPOINT_SIZE_MAX:
            return sealed


async def verify(database: Database, key: SigningKey) -> Verification:
    """Recompute every checkpoint from the journal and say whether all stands as sealed."""
    number, entries, previous, cursor = 0, 0, GENESIS, (0, 0)
    async with database.engine.connect() as connection:
        # The end is fixed first: the sealer goes on meanwhile.
        last_number = await connection.scalar(_LAST_NUMBER) or 0
        while number < last_number:
            number += 1
            found = await _checkpoint(connection, number)
            if found is None:
                missing = Difference("checkpoint_missing", number)
                return Verification(number - 1, entries, previous.hex(), missing)
            digest = _digest(found)
            if (
                found.previous != previous
                or (found.after_xid, found.after_seq) != cursor
                or not 0 < len(found.leaves) == found.size * _LEAF_BYTES
                or merkle_root(_split(found.leaves)) != found.root
                or not key.is_signed(digest, found.signature)
            ):
                forged = Difference("checkpoint_forged", number)
                return Verification(number, entries, previous.hex(), forged)
            cursor = (found.upto_xid, found.upto_seq)
            difference = await _compare(connection, found)
            if difference is not None:
                return Verification(number, entries, previous.hex(), difference)
            entries, previous = entries + found.size, digest
            await asyncio.sleep(0)
    metrics.audit_chain_verified.labels(key.service).set(time.time())
    return Verification(number, entries, previous.hex(), None)


def first_difference(
    checkpoint: int,
    sealed: list[tuple[int, bytes]],
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


def merkle_root(leaves: list[tuple[int, bytes]]) -> bytes:
    """Return the Merkle tree hash over (sequence number, leaf hash) pairs, at least one."""
    level = [
        hashlib.sha256(b"\x00" + seq.to_bytes(_SEQ_BYTES) + leaf).digest() for seq, leaf in leaves
    ]
    while len(level) > 1:
        paired = [
            hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest()
            for i in range(0, len(level) - 1, 2)
        ]
        level = paired + level[len(level) - len(level) % 2 :]
    return level[0]


async def _seal_next(connection: AsyncConnection, key: SigningKey) -> int:
    if not await connection.scalar(_SEALER_LOCK):
        return 0
    last = (await connection.execute(_LAST)).one_or_none()
    after = (last.upto_xid, last.upto_seq) if last else (0, 0)
    rows = (
        await connection.execute(
            _LEAVES, {"after_xid": after[0], "after_seq": after[1], "most": CHECKPOINT_SIZE_MAX}
        )
    ).all()
    if not rows:
        return 0
    leaves = [(row.seq, row.leaf) for row in rows]
    values: dict[str, Any] = {
        "number": last.number + 1 if last else 1,
        "after_xid": after[0],
        "after_seq": after[1],
        "upto_xid": rows[-1].xid,
        "upto_seq": rows[-1].seq,
        "size": len(rows),
        "leaves": b"".join(seq.to_bytes(_SEQ_BYTES) + leaf for seq, leaf in leaves),
        "root": merkle_root(leaves),
        "previous": _digest(last) if last else GENESIS,
        "sealed_at": utc_now(),
    }
    values["signature"] = key.sign(_digest_of(values))
    await connection.execute(_INSERT, values)
    return len(rows)


async def _checkpoint(connection: AsyncConnection, number: int) -> Row[Any] | None:
    return (await connection.execute(_BY_NUMBER, {"number": number})).one_or_none()


async def _compare(connection: AsyncConnection, found: Row[Any]) -> Difference | None:
    """Return the first difference between a genuine checkpoint and the journal."""
    sealed, upto = _split(found.leaves), (found.upto_xid, found.upto_seq)
    # One row more than was sealed shows any difference; to tell which kind takes those around it.
    for most in (found.size + 1, found.size + CHECKPOINT_SIZE_MAX):
        present = await _leaves(connection, found, most)
        difference = first_difference(found.number, sealed, present, upto)
        if difference is None:
            return None
    return difference


async def _leaves(
    connection: AsyncConnection, found: Row[Any], most: int
) -> list[tuple[int, int, str, bytes]]:
    rows = await connection.execute(
        _LEAVES, {"after_xid": found.after_xid, "after_seq": found.after_seq, "most": most}
    )
    return [(row.xid, row.seq, str(row.id), row.leaf) for row in rows]


def _split(leaves: bytes) -> list[tuple[int, bytes]]:
    return [
        (
            int.from_bytes(leaves[at : at + _SEQ_BYTES]),
            leaves[at + _SEQ_BYTES : at + _LEAF_BYTES],
        )
        for at in range(0, len(leaves), _LEAF_BYTES)
    ]


def _digest(row: Row[Any]) -> bytes:
    return _digest_of(row._asdict())


def _digest_of(values: dict[str, Any]) -> bytes:
    """Return the hash that the signature covers and the next checkpoint names."""
    bounds = ("number", "after_xid", "after_seq", "upto_xid", "upto_seq", "size")
    head = "|".join(str(values[name]) for name in bounds)
    sealed_at = values["sealed_at"].isoformat()
    return hashlib.sha256(
        f"{head}|{sealed_at}|".encode() + values["root"] + values["previous"]
    ).digest()


_SEALER_LOCK = text("SELECT try_lock('sealer')")
_LAST = text("SELECT * FROM checkpoints ORDER BY number DESC LIMIT 1")
_LAST_NUMBER = text("SELECT max(number) FROM checkpoints")
_BY_NUMBER = text("SELECT * FROM checkpoints WHERE number = :number")
_LEAVES = text("SELECT * FROM journal_leaves(CAST(:after_xid AS xid8), :after_seq, :most)")
_INSERT = text("""
    INSERT INTO checkpoints (number, after_xid, after_seq, upto_xid, upto_seq, size, leaves, root,
                             previous, signature, sealed_at)
    VALUES (:number, CAST(:after_xid AS xid8), :after_seq, CAST(:upto_xid AS xid8), :upto_seq,
            :size, :leaves, :root, :previous, :signature, :sealed_at)""")
