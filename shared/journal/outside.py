"""Checkpoints outside the database: the newest one to keep, and what a kept one proves later."""

from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import Database
from shared.journal.checkpoint import last_of, list_after, note_of, records_of, signed_of
from shared.journal.merkle import consistency_proof, is_consistent, leaf_hash
from shared.journal.notes import CheckpointNote, SigningKey

_CHECKPOINTS_AT_ONCE = 200


class Kept(NamedTuple):
    """What became of a checkpoint that was kept."""

    is_beginning: bool  # The journal goes on from it.
    entries: int  # That the newest checkpoint covers now; 0 without one.


async def newest_note(database: Database, key: SigningKey) -> str | None:
    """Return the newest checkpoint as a signed note; None before the first one."""
    async with database.engine.connect() as connection:
        last = await last_of(connection)
    if last is None or last.version == 1:
        return None
    return key.public.write(note_of(last, key.public), last.signature)


async def check_kept(database: Database, key: SigningKey, kept: CheckpointNote) -> Kept:
    """Prove that the journal of now begins with what a kept checkpoint covered.

    By a consistency proof (RFC 6962, 2.1.2) between its root and that of the newest checkpoint,
    from the leaves that the database has: entries cut off, with their checkpoints too, or sealed
    anew, fail it. That the entries are as those leaves say is what `verify` shows.
    """
    async with database.engine.connect() as connection:
        last = await last_of(connection)
        hashes = await _list_hashes(connection, last.number if last else 0)
    if last is None or last.version == 1:
        return Kept(is_beginning=False, entries=0)
    is_beginning = (
        key.is_signed(signed_of(last, key.public), last.signature)
        and kept.size <= last.tree_size == len(hashes)
        and is_consistent(
            kept.size, kept.root, last.tree_size, last.root, consistency_proof(hashes, kept.size)
        )
    )
    return Kept(is_beginning, last.tree_size)


async def _list_hashes(connection: AsyncConnection, upto_number: int) -> list[bytes]:
    hashes: list[bytes] = []
    number = 0
    while number < upto_number:
        rows = await list_after(connection, number, _CHECKPOINTS_AT_ONCE)
        for row in rows:
            hashes += map(leaf_hash, records_of(row.leaves))
        number = rows[-1].number
    return hashes
