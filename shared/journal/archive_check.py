"""Proving an archive: every line of it gives the leaf that was sealed, and none is missing."""

import asyncio
from collections.abc import Iterator
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.journal.archive import record_of
from shared.journal.archive_folder import ArchiveFolder
from shared.journal.archived import ArchiveFound, ArchiveManifest
from shared.journal.checkpoint import Difference, list_after
from shared.sealed_files.errors import SafekeepingError

CHECKPOINTS_AT_ONCE = 200


async def check_archives(
    connection: AsyncConnection, folder: ArchiveFolder, manifests: list[ArchiveManifest]
) -> tuple[list[ArchiveFound], Difference | None]:
    """Prove archives by checkpoints that are genuine; say of each how far it could be read.

    One that is not there says nothing against the journal; one that is another one does.
    """
    found, difference = [], None
    for manifest in manifests:
        state, reason, wrong = await _check_one(connection, folder, manifest)
        found.append(ArchiveFound(manifest.month, manifest.entries, state, reason))
        difference = difference or wrong
    return found, difference


async def _check_one(
    connection: AsyncConnection, folder: ArchiveFolder, manifest: ArchiveManifest
) -> tuple[Any, str | None, Difference | None]:
    try:
        difference = await check_archive(connection, folder, manifest)
    except FileNotFoundError:
        return "missing", f"{folder.file_of(manifest.month)} is not there.", None
    except (SafekeepingError, OSError) as error:
        damaged = Difference("archive_damaged", manifest.checkpoints[0], archive=manifest.label)
        return "unreadable", str(error), damaged
    return "read", None, difference


async def check_archive(
    connection: AsyncConnection, folder: ArchiveFolder, manifest: ArchiveManifest
) -> Difference | None:
    """Compare an archive with the leaves that checkpoints keep of it.

    Raises SafekeepingError, OSError where it cannot be read.
    """
    lines = _Lines(folder.read(manifest))
    number, last = manifest.checkpoints
    number -= 1
    entries = 0
    while number < last:
        rows = await list_after(connection, number, CHECKPOINTS_AT_ONCE)
        if not rows:
            return Difference("checkpoint_missing", number + 1, archive=manifest.label)
        for row in rows:
            if row.number > last:
                break
            leaves = manifest.leaves_of(row)
            entries += len(leaves)
            taken = await lines.take(len(leaves))
            difference = _compare(row, leaves, taken, manifest.label)
            if difference is not None:
                return difference
        number = rows[-1].number
    if entries != manifest.entries or await lines.take(1):
        return Difference("inserted", last, archive=manifest.label)
    return None


def _compare(row: Any, leaves: list[bytes], lines: list[str], label: str) -> Difference | None:  # noqa: ANN401 - a row of `checkpoints`.
    for at, leaf in enumerate(leaves):
        seq = int.from_bytes(leaf[:8])
        if at >= len(lines):
            return Difference("removed", row.number, seq, archive=label)
        try:
            is_same = record_of(lines[at], row.version) == leaf
        except (ValueError, KeyError, TypeError):
            is_same = False
        if not is_same:
            return Difference("changed", row.number, seq, archive=label)
    return None


class _Lines:
    """Lines that come in batches, read and unsealed beside the event loop."""

    def __init__(self, batches: Iterator[list[str]]) -> None:
        self._batches = batches
        self._waiting: list[str] = []

    async def take(self, count: int) -> list[str]:
        """Return the next lines, fewer at the end."""
        while len(self._waiting) < count:
            batch = await asyncio.to_thread(next, self._batches, None)
            if batch is None:
                break
            self._waiting += batch
        taken = self._waiting[:count]
        del self._waiting[:count]
        return taken
